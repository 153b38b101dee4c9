-- asked: what a claim asks, from its sixth argument on. In order: pools by their keys, their names as they are set, `pool=slots`.
-- By key: the slots.
--@include lib/names.lua
local pools, names, parts, slots_of = {}, {}, {}, {}
for i = 6, #ARGV, 2 do
    local pool = escape(ARGV[i])
    pools[#pools + 1] = not slots_of[pool] and pool or nil
    slots_of[pool] = (slots_of[pool] or 0) + tonumber(ARGV[i + 1])
end
table.sort(pools)
for i = 1, #pools do
    names[i], parts[i] = unescape(pools[i]), pools[i] .. '=' .. num(slots_of[pools[i]])
end
local shape = table.concat(parts, ',')
