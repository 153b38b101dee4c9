#!lua
-- Lower bound of admitting, for `rivers bench`: pops the first runs whose three counters are below 1,000, counts and leases
-- them.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] most runs
-- RETURNS {'OK', id, ...}
--@include lib/open.lua
local reply, expiry = {'OK'}, num(now + 30000)
for _ = 1, tonumber(ARGV[2]) do
    local lane = call('ZRANGE', P .. 'ready', '0', '0')[1]
    if not lane then
        break
    end
    local a, b, c = lane:match('^(.-),(.-),(.*)$')
    local used = call('HMGET', P .. 'used', a, b, c)
    if tonumber(used[1] or 0) >= 1000 or tonumber(used[2] or 0) >= 1000 or tonumber(used[3] or 0) >= 1000 then
        break
    end
    local id, next_id = call('LPOP', P .. 'lane:' .. lane), call('LINDEX', P .. 'lane:' .. lane, 0)
    if next_id then
        call('ZADD', P .. 'ready', next_id, lane)
    else
        call('ZREM', P .. 'ready', lane)
    end
    call('HINCRBY', P .. 'used', a, 1)
    call('HINCRBY', P .. 'used', b, 1)
    call('HINCRBY', P .. 'used', c, 1)
    call('ZADD', P .. 'running', expiry, id)
    call('HSET', P .. 'run:' .. id, 'state', 'Started')
    reply[#reply + 1] = id
end
return reply
