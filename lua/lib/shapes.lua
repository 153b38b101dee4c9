-- shapes: what a claim asks of pools, `api=2,db=1`, against the limits of this moment and what is used.
--@include lib/grants.lua
--@include lib/pool_limit.lua
--@include lib/slots.lua
--@include lib/used.lua
-- {{pool, weight}, ...} of a shape
local parts_of = memo(function(shape)
    local parts = {}
    for pool, weight in shape:gmatch('([^,=]+)=(%d+)') do
        parts[#parts + 1] = {pool, tonumber(weight)}
    end
    return parts
end)

local function pool_room(pool)
    return (pool_limit[pool] or math.huge) - pool_used[pool]
end

local function pool_is_limited(pool)
    return pool_room(pool) < math.huge
end

local function pool_lease(pool)
    return shortest_lease({call('HGET', P .. 'pool_leases', unescape(pool))})
end

local function pool_bypass(pool)
    return bypass_read(call('HGET', P .. 'pool_bypass', unescape(pool)))
end

-- The part of a shape that is recorded: what it asks of limited pools.
local function limited_part(shape)
    local limited = {}
    for _, part in ipairs(parts_of[shape]) do
        limited[#limited + 1] = pool_is_limited(part[1]) and part[1] .. '=' .. num(part[2]) or nil
    end
    return table.concat(limited, ',')
end

-- Gives a claim its shape. Returns the token and the lease, '0' when only unlimited pools were asked.
local function grant_shape(claim, attempt, shape, since, until_taken)
    local held, lease = limited_part(shape), math.huge
    for _, part in ipairs(parts_of[shape]) do
        lease = math.min(lease, held ~= '' and pool_lease(part[1]) or 0)
    end
    return grant(claim, attempt, shape, held, pool_used, lease, since, until_taken), num(lease)
end
