#!lua flags=allow-oom
-- Ends an in-progress run: a final state, its gates freed, the heads they let in woken, the bell rung.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] executor; [5] Success | Failure | Canceled; [6] reason, '' for none; [7] number of
--       step reports; then for each: step, event, state, attempt, how
-- RETURNS {'OK'}, also when the same token has ended it in the same state before
--         {'STALE', state} | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/queue/ending.lua
--@include lib/queue/ready.lua
local id, token, executor, state = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local f = call('HMGET', P .. 'run:' .. id, 'state', 'token', 'gates', 'capacity_of', 'executor')
if not f[1] then
    return {'NOT_FOUND'}
end
if f[2] == token and f[1] == state then
    return {'OK'}
end
if f[2] ~= token or (f[5] or executor) ~= executor or (f[1] ~= 'Started' and f[1] ~= 'NotStarted') then
    return {'STALE', f[1]}
end
if ARGV[7] ~= '0' then
    --@include lib/queue/steps.lua
    steps_report(id, 8, tonumber(ARGV[7]))
end
run_end(id, f[1], f[3] or '', f[4], state, ARGV[6])
ring_if_admissible()
return {'OK'}
