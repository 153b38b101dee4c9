-- grant_shape: a claim gets what its shape asks.
--@include lib/pools/claims.lua
--@include lib/pools/grant.lua
--@include lib/pools/shapes.lua
local function pool_lease(pool)
    return shortest_lease({call('HGET', P .. 'pool_leases', unescape(pool))})
end

-- Gives a claim its shape. until_taken: the claimant has not been told yet and has this long to come for it. Returns the token and
-- the lease, '0' when only unlimited pools were asked.
local function grant_shape(claim, attempt, shape, since, until_taken)
    local held, lease = {}, math.huge
    for _, part in ipairs(parts_of[shape]) do
        local pool, slots = part[1], num(part[2])
        lease = math.min(lease, pool_lease(pool))
        if pool_is_limited(pool) then
            held[#held + 1] = pool .. '=' .. slots
            pool_take(pool, slots)
            call('ZADD', P .. 'pool:' .. pool .. ':holders', slots, claim)
        end
    end
    if held[1] then
        call('ZADD', P .. 'slots', num(now + (until_taken or lease)), claim)
    end
    local run, step = run_and_step(claim)
    lease = held[1] and num(lease) or '0'
    return grant(run, step, attempt, shape, table.concat(held, ','), lease, num(now - since)), lease
end
