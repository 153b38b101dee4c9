#!lua flags=allow-oom
-- The executor of a run ended without an outcome: the same as a lease that ran out, at once. Or it never began: that fails the
-- run, as it would again.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] how it ended; [5] 'NotStarted': it never began, so a run that
--       has started is another's
-- RETURNS {'OK', state} with the state the run is in now | {'STALE', state} | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/queue/runs.lua
--@include lib/queue/ready.lua
local id, run = ARGV[2], P .. 'run:' .. ARGV[2]
local f = call('HMGET', run, 'state', 'token', 'gates', 'capacity_of')
if not f[1] then
    return {'NOT_FOUND'}
end
local unlaunched = ARGV[5] == 'NotStarted'
if f[2] ~= ARGV[3] or f[1] ~= 'NotStarted' and (unlaunched or f[1] ~= 'Started') then
    return {'STALE', f[1]}
end
if unlaunched then
    run_end(id, f[1], f[3] or '', f[4], 'Failure', 'launch failed: ' .. ARGV[4])
else
    run_lost(id, 'executor lost: ' .. ARGV[4])
end
ring_if_admissible()
return {'OK', call('HGET', run, 'state')}
