-- asked: what a claim asks, from its sixth argument on, and what there is of it.
--@include lib/names.lua
--@include lib/pools/settings.lua
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

-- All pools at once. Returns the pools that have too little left, {name, used, limit} each, and those that are unlimited, by their
-- place, nil for none. Nothing where a pool is not set, or never has as much.
local function look()
    local limits, used = call('HMGET', P .. 'pool_limits', unpack(names)), call('HMGET', P .. 'pool_used', unpack(pools))
    local full, unlimited = {}, nil
    for i = 1, #pools do
        local limit, taken, wanted = limit_read(limits[i]), tonumber(used[i]) or 0, tonumber(asked[i])
        if not limit or (wanted > limit and limit > 0) then
            return nil
        elseif wanted > limit - taken then
            full[#full + 1] = {names[i], taken, limit}
        elseif limit == math.huge then
            unlimited = unlimited or {}
            unlimited[i] = true
        end
    end
    return full, unlimited
end

-- Of the limited pools, as `grant` takes them, `pool=slots` of all, and one by one the pools and their slots.
local function held_of(unlimited)
    if not unlimited then
        return shape, pools, asked
    end
    local parts, held, slots = {}, {}, {}
    for i = 1, #pools do
        if not unlimited[i] then
            local n = #held + 1
            parts[n], held[n], slots[n] = pools[i] .. '=' .. asked[i], pools[i], asked[i]
        end
    end
    return table.concat(parts, ','), held, slots
end

-- The keys of their lines.
local function lines()
    local keys = {}
    for i = 1, #pools do
        keys[i] = P .. 'pool:' .. pools[i] .. ':shapes'
    end
    return keys
end
