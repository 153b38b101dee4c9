#!lua flags=allow-oom
-- Records transitions of a run's steps.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] executor; [5] number of reports; then for each: step, event, state, attempt, how
-- RETURNS {'OK'} | {'STALE', state} | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/queue/steps.lua
local f = call('HMGET', P .. 'run:' .. ARGV[2], 'state', 'token', 'executor')
if not f[1] then
    return {'NOT_FOUND'}
end
if f[1] ~= 'Started' or f[2] ~= ARGV[3] or f[3] ~= ARGV[4] then
    return {'STALE', f[1]}
end
steps_report(ARGV[2], 6, tonumber(ARGV[5]))
return {'OK'}
