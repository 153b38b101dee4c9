#!lua flags=allow-oom
-- Cancels a run. One that has not started ends at once; a started one is flagged and its executor woken, which ends the
-- steps and then the run.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] grace ms between SIGTERM and SIGKILL; [4] 'queued': only a run that is queued
-- RETURNS {'CANCELED'} | {'CANCELING'} | {'FINAL', state} | {'NOT_QUEUED', state} | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/bell.lua
--@include lib/queue/runs.lua
--@include lib/queue/ready.lua
local id, run = ARGV[2], P .. 'run:' .. ARGV[2]
local f = call('HMGET', run, 'state', 'gates', 'capacity_of', 'cancel_at')
local state, lane = f[1], f[2] or ''
if not state then
    return {'NOT_FOUND'}
elseif ARGV[4] == 'queued' and state ~= 'Queued' then
    return {'NOT_QUEUED', state}
elseif state == 'Queued' then
    if call('ZREM', P .. 'delayed', id) == 0 then
        call('ZREM', P .. 'queue', id)
        lane_drop(lane, id)
    end
    run_final(id, state, 'Canceled', '')
elseif state == 'NotStarted' then
    run_end(id, state, lane, f[3], 'Canceled', '')
elseif state == 'Started' then
    if not f[4] then
        emit('RunCanceling', id)
    end
    call('HSET', run, 'cancel_at', NOW, 'cancel_grace', ARGV[3])
    ring(P .. 'wake:' .. id)
    return {'CANCELING'}
else
    return {'FINAL', state}
end
ring_if_admissible()
return {'CANCELED'}
