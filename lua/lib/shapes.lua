-- shapes: what a claim asks of pools, `api=2,db=1`, against the limits of this moment and what is used.
--@include lib/limits.lua
--@include lib/run_limits.lua
--@include lib/events.lua
--@include lib/memo.lua
--@include lib/slots.lua
-- {{pool, weight}, ...} of a shape
local parts_of = memo(function(shape)
    local parts = {}
    for pool, weight in shape:gmatch('([^,=]+)=(%d+)') do
        parts[#parts + 1] = {pool, tonumber(weight)}
    end
    return parts
end)

-- Slots of a pool: infinite below 0; a limit that cannot be read grants nothing; false when nobody configured the pool.
local pool_limit = memo(function(pool)
    local text = call('HGET', P .. 'pool_limits', unescape(pool))
    return text and (text:find('^-%d+$') and math.huge or limit_number(text))
end)

local pool_used = memo(function(pool)
    return tonumber(call('HGET', P .. 'pool_used', pool)) or 0
end)

local function pool_room(pool)
    return (pool_limit[pool] or math.huge) - pool_used[pool]
end

local function pool_is_limited(pool)
    return pool_room(pool) < math.huge
end

local function pool_ms(hash, pool, otherwise)
    local text = call('HGET', P .. hash, unescape(pool))
    return text and text:find('^%d+$') and tonumber(text) or otherwise
end

local function pool_lease(pool)
    return math.max(1000, pool_ms('pool_leases', pool, 300000))
end

local function pool_bypass(pool)
    return pool_ms('pool_bypass', pool, 10000)
end

-- The lease of a grant: the shortest of its pools.
local function shape_lease(shape)
    local lease = math.huge
    for _, part in ipairs(parts_of[shape]) do
        lease = math.min(lease, pool_lease(part[1]))
    end
    return lease
end

-- The part of a shape that is recorded: what it asks of limited pools.
local function limited_part(shape)
    local limited = {}
    for _, part in ipairs(parts_of[shape]) do
        if pool_is_limited(part[1]) then
            limited[#limited + 1] = part[1] .. '=' .. num(part[2])
        end
    end
    return table.concat(limited, ',')
end

-- What an event about a claim says of it.
local function emit_claim(event, claim, attempt, shape, ...)
    local run, step = run_and_step(claim)
    emit(event, run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), ...)
end
