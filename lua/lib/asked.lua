-- asked: what a claim asks, from its sixth argument on. In order: pools by their keys, their names as they are set, their slots
-- as text, `pool=slots`. By key: the slots.
--@include lib/names.lua
local pools, names, texts, parts, slots_of = {}, {}, {}, {}, {}
for i = 6, #ARGV, 2 do
    local pool = escape(ARGV[i])
    if not slots_of[pool] then
        pools[#pools + 1] = pool
    end
    slots_of[pool] = (slots_of[pool] or 0) + ARGV[i + 1]
end
if pools[2] then
    table.sort(pools)
end
for i = 1, #pools do
    local pool = pools[i]
    names[i], texts[i] = unescape(pool), num(slots_of[pool])
    parts[i] = pool .. '=' .. texts[i]
end
local shape = table.concat(parts, ',')
