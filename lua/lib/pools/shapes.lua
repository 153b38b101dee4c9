-- shapes: what a claim asks of pools, `api=2,db=1`, against the limits of this moment and what is used.
--@include lib/pools/grant.lua
--@include lib/pools/room.lua
--@include lib/pools/bypass.lua
-- {{pool, weight}, ...} of a shape
local parts_of = memo(function(shape)
    local parts = {}
    for pool, weight in shape:gmatch('([^,=]+)=(%d+)') do
        parts[#parts + 1] = {pool, tonumber(weight)}
    end
    return parts
end)

local function pool_lease(pool)
    return shortest_lease({call('HGET', P .. 'pool_leases', unescape(pool))})
end

-- Whether a grant of this shape is recorded.
local function is_limited(shape)
    for _, part in ipairs(parts_of[shape]) do
        if pool_is_limited(part[1]) then
            return true
        end
    end
    return false
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
