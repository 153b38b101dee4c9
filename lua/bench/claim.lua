#!lua
-- Lower bound of a claim, for `rivers bench`: checks one counter for each pool, counts, and records the lease.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim; then pools
-- RETURNS {'OK'} | {'FULL'}
--@include lib/open.lua
for i = 3, #ARGV do
    local used = tonumber(call('HGET', P .. 'pool_used', ARGV[i])) or 0
    if used >= tonumber(call('HGET', P .. 'pool_limits', ARGV[i])) then
        return {'FULL'}
    end
end
for i = 3, #ARGV do
    call('HINCRBY', P .. 'pool_used', ARGV[i], 1)
    call('ZADD', P .. 'holders:' .. ARGV[i], num(now + 300000), ARGV[2])
end
return {'OK'}
