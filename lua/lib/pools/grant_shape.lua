-- grant_shape: a claim gets what its shape asks.
--@include lib/pools/grant.lua
--@include lib/pools/shapes.lua
local function pool_lease(pool)
    return shortest_lease({call('HGET', P .. 'pool_leases', unescape(pool))})
end

-- Gives a claim its shape. until_taken: the claimant has not been told yet and has this long to come for it. Returns the token and
-- the lease, '0' when only unlimited pools were asked.
local function grant_shape(claim, attempt, shape, since, until_taken)
    local parts, pools, slots, lease = {}, {}, {}, math.huge
    for _, part in ipairs(parts_of[shape]) do
        local pool, weight = part[1], part[2]
        lease = math.min(lease, pool_lease(pool))
        if pool_is_limited(pool) then
            local n = #pools + 1
            pools[n], slots[n] = pool, num(weight)
            parts[n] = pool .. '=' .. slots[n]
            pool_take(pool, slots[n])
        end
    end
    if pools[1] then
        call('ZADD', P .. 'slots', num(now + (until_taken or lease)), claim)
    end
    lease = pools[1] and num(lease) or '0'
    return grant(claim, attempt, shape, table.concat(parts, ','), pools, slots, lease, num(now - since)), lease
end
