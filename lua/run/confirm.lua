#!lua flags=allow-oom
-- Confirms launches: the executor has start_timeout, from the dequeue on, to appear. A run that has started meanwhile is left alone.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] start_timeout ms; then run id, token, run id, token, ...
-- RETURNS {'OK', word, word, ...}: OK | STALE for each run
--@include lib/open.lua
--@include lib/queue/launch.lua
local reply = {'OK'}
for i = 3, #ARGV, 2 do
    local f = call('HMGET', P .. 'run:' .. ARGV[i], 'state', 'token', 'launched_at', 'dequeued_at')
    if f[2] ~= ARGV[i + 1] or (f[1] ~= 'NotStarted' and f[1] ~= 'Started') then
        reply[#reply + 1] = 'STALE'
    else
        if f[1] == 'NotStarted' and not f[3] then
            launch_confirm(ARGV[i], f[4], ARGV[2])
        end
        reply[#reply + 1] = 'OK'
    end
end
return reply
