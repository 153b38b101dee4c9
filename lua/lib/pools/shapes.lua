-- shapes: what a claim asks of pools, `api=2,db=1`, against the limits of this moment and what is used.
--@include lib/pools/grants.lua
--@include lib/pools/room.lua
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

local function pool_bypass(pool)
    return bypass_read(call('HGET', P .. 'pool_bypass', unescape(pool)))
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

-- Gives a claim its shape. Returns the token and the lease, '0' when only unlimited pools were asked.
local function grant_shape(claim, attempt, shape, since, until_taken)
    local held, taken, used, lease = {}, {}, {}, is_limited(shape) and math.huge or 0
    for _, part in ipairs(parts_of[shape]) do
        local pool, slots = part[1], part[2]
        lease = lease > 0 and math.min(lease, pool_lease(pool)) or 0
        if pool_is_limited(pool) then
            local n = #held + 1
            pool_used[pool] = pool_used[pool] + slots
            taken[n] = num(slots)
            held[n] = pool .. '=' .. taken[n]
            used[2 * n - 1], used[2 * n] = pool, num(pool_used[pool])
        end
    end
    return grant(claim, attempt, shape, table.concat(held, ','), taken, used, lease, since, until_taken), num(lease)
end
