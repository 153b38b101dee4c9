-- asked: what a claim asks, from its sixth argument on, and what there is of it.
--@include lib/names.lua
--@include lib/pools/settings.lua
-- In order: pools by their keys, their names as they are set, their lines, `pool=slots`. By key: the slots, and these as text.
local pools, names, lines, parts, slots_of, text_of = {}, {}, {}, {}, {}, {}
local is_ordered = true
for i = 6, #ARGV, 2 do
    local pool, slots, n = escape(ARGV[i]), ARGV[i + 1], #pools
    if slots_of[pool] then
        slots_of[pool] = slots_of[pool] + slots
        text_of[pool] = num(slots_of[pool])
    else
        is_ordered = is_ordered and (n == 0 or pools[n] < pool)
        pools[n + 1], slots_of[pool], text_of[pool] = pool, tonumber(slots), slots
    end
end
if not is_ordered then
    table.sort(pools)
end
for i = 1, #pools do
    local pool = pools[i]
    names[i], lines[i], parts[i] = unescape(pool), P .. 'pool:' .. pool .. ':shapes', pool .. '=' .. text_of[pool]
end
local shape = table.concat(parts, ',')

-- All pools at once. Returns the pools that have too little left, {name, used, limit} each; and of the limited ones, as `grant`
-- takes them, `pool=slots` of all, slots of each, {pool, slots taken then} of each. nil where a pool is not set, or never has as
-- much.
local function look()
    local limits, used = call('HMGET', P .. 'pool_limits', unpack(names)), call('HMGET', P .. 'pool_used', unpack(pools))
    local full, held, slots, sums, n = {}, {}, {}, {}, 0
    for i = 1, #pools do
        local pool, limit = pools[i], limit_read(limits[i])
        local taken, asked = tonumber(used[i]) or 0, slots_of[pool]
        if not limit or (asked > limit and limit > 0) then
            return nil
        elseif asked > limit - taken then
            full[#full + 1] = {names[i], taken, limit}
        elseif limit < math.huge then
            n = n + 1
            held[n], slots[n], sums[2 * n - 1], sums[2 * n] = parts[i], text_of[pool], pool, num(taken + asked)
        end
    end
    return full, n == #pools and shape or table.concat(held, ','), slots, sums
end
