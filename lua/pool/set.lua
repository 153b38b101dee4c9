#!lua
-- Sets a pool's limit, and lets in whom it lets in.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] pool; [3] limit, -1 unlimited; [4] lease ms, '' keeps it; [5] max bypass ms, '' keeps it
-- RETURNS {'OK', limit, lease ms, max bypass ms}
--@include lib/open.lua
--@include lib/pools/pools.lua
local name, pool = ARGV[2], escape(ARGV[2])
call('HSET', P .. 'pool_limits', name, ARGV[3])
for i, hash in ipairs({'pool_leases', 'pool_bypass'}) do
    if ARGV[3 + i] ~= '' then
        call('HSET', P .. hash, name, ARGV[3 + i])
    end
end
serve({pool})
return {'OK', ARGV[3], num(pool_lease(pool)), num(pool_bypass(pool))}
