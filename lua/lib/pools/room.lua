-- room: how many slots a pool has, and how many of them are free, by its key.
--@include lib/names.lua
--@include lib/memo.lua
--@include lib/pools/settings.lua
--@include lib/pools/used.lua
local pool_limit = memo(function(pool)
    return limit_read(call('HGET', P .. 'pool_limits', unescape(pool)))
end)

local function pool_room(pool)
    return (pool_limit[pool] or math.huge) - pool_used(pool)
end

local function pool_is_limited(pool)
    return pool_room(pool) < math.huge
end
