#!lua
-- Deletes a pool that nobody holds or waits for.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] pool
-- RETURNS {'OK'} | {'HELD', slots claimed, claims waiting} | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/pools/pools.lua
local name, key = ARGV[2], P .. 'pool:' .. escape(ARGV[2])
pools_sweep(20)
local claimed, waiting = pool_used(escape(name)), call('ZCARD', key .. ':waiters')
if call('HEXISTS', P .. 'pool_limits', name) == 0 then
    return {'NOT_FOUND'}
elseif claimed > 0 or waiting > 0 then
    return {'HELD', num(claimed), num(waiting)}
end
for _, hash in ipairs({'pool_limits', 'pool_leases', 'pool_bypass'}) do
    call('HDEL', P .. hash, name)
end
return {'OK'}
