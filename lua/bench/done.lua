#!lua
-- Lower bound of finishing, for `rivers bench`: ends runs and gives their three counters back.
-- KEYS  [1] prefix
-- ARGV  [1] now; then ids
-- RETURNS {'OK'}
--@include lib/open.lua
for i = 2, #ARGV do
    local run = P .. 'run:' .. ARGV[i]
    local a, b, c = call('HGET', run, 'lane'):match('^(.-),(.-),(.*)$')
    call('ZREM', P .. 'running', ARGV[i])
    call('HINCRBY', P .. 'used', a, -1)
    call('HINCRBY', P .. 'used', b, -1)
    call('HINCRBY', P .. 'used', c, -1)
    call('HSET', run, 'state', 'Success')
end
return {'OK'}
