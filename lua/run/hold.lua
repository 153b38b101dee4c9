#!lua flags=allow-oom
-- A dequeuer keeps what a run holds whose executor is gone, as long as something of it still runs: the lease of the run, and
-- those of its slots that have not ended.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run lease ms; [3] run id; [4] token
-- RETURNS {'OK'} | {'STALE'}: the run is no longer in progress under this token
--@include lib/open.lua
--@include lib/grace.lua
--@include lib/pools/grants.lua
local id = ARGV[3]
local f = call('HMGET', P .. 'run:' .. id, 'state', 'token')
if f[1] ~= 'Started' or f[2] ~= ARGV[4] then
    return {'STALE'}
end
call('ZADD', P .. 'running', 'XX', num(now + tonumber(ARGV[2])), id)
local steps = call('HGETALL', P .. 'slots:' .. id)
for i = 1, #steps, 2 do
    local claim, held = id .. '/' .. steps[i], grant_read(steps[i + 1])
    if held and not slot_is_over(claim, held.lease) then
        call('ZADD', P .. 'slots', 'XX', num(now + held.lease), claim)
    end
end
return {'OK'}
