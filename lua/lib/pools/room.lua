-- room: how many slots a pool has, and how many are taken, by its key.
--@include lib/names.lua
--@include lib/memo.lua
--@include lib/pools/settings.lua
local pool_limit = memo(function(pool)
    return limit_read(call('HGET', P .. 'pool_limits', unescape(pool)))
end)

local pool_used = memo(function(pool)
    return tonumber(call('HGET', P .. 'pool_used', pool)) or 0
end)

local function pool_take(pool, slots)
    pool_used[pool] = call('HINCRBY', P .. 'pool_used', pool, num(slots))
    if pool_used[pool] == 0 then
        call('HDEL', P .. 'pool_used', pool)
    end
end

local function pool_room(pool)
    return (pool_limit[pool] or math.huge) - pool_used[pool]
end

local function pool_is_limited(pool)
    return pool_room(pool) < math.huge
end
