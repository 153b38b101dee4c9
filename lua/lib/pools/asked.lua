-- asked: what a claim asks, from its sixth argument on.
--@include lib/names.lua
local POOLS_MOST = 64
-- In order: pools by their keys, their names as they are set, the slots of each.
local pools, names, asked, is_ordered = {}, {}, {}, true
for i = 6, #ARGV, 2 do
    local n, pool = #pools + 1, escape(ARGV[i])
    pools[n], names[n], asked[n] = pool, ARGV[i], ARGV[i + 1]
    is_ordered = is_ordered and (n == 1 or pools[n - 1] < pool)
end
if not is_ordered then -- nor perhaps each named once
    local sums = {}
    for i, pool in ipairs(pools) do
        sums[pool] = (sums[pool] or 0) + asked[i]
    end
    pools, names, asked = {}, {}, {}
    for pool in pairs(sums) do
        pools[#pools + 1] = pool
    end
    table.sort(pools)
    for i, pool in ipairs(pools) do
        names[i], asked[i] = unescape(pool), num(sums[pool])
    end
end
local shape = pools[1] .. '=' .. asked[1]
for i = 2, #pools do
    shape = shape .. ',' .. pools[i] .. '=' .. asked[i]
end
