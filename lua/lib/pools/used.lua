-- used: how many slots of a pool are taken, by its key.
--@include lib/memo.lua
local pool_used = memo(function(pool)
    return tonumber(call('HGET', P .. 'pool_used', pool)) or 0
end)

local function pool_take(pool, slots)
    pool_used[pool] = call('HINCRBY', P .. 'pool_used', pool, num(slots))
    if pool_used[pool] == 0 then
        call('HDEL', P .. 'pool_used', pool)
    end
end
