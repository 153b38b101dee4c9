#!lua flags=allow-oom
-- The backend saw the executor of a run end without an outcome: the same as a lease that ran out, at once.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] how it ended
-- RETURNS {'OK', state} with the state the run is in now | {'STALE', state} | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/runs.lua
local id, run = ARGV[2], P .. 'run:' .. ARGV[2]
local f = call('HMGET', run, 'state', 'token')
if not f[1] then
    return {'NOT_FOUND'}
end
if f[2] ~= ARGV[3] or (f[1] ~= 'Started' and f[1] ~= 'NotStarted') then
    return {'STALE', f[1]}
end
run_lost(id, (f[1] == 'Started' and 'executor lost: ' or 'launch failed: ') .. ARGV[4])
ring_if_admissible()
return {'OK', call('HGET', run, 'state')}
