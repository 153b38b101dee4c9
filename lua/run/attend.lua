#!lua flags=allow-oom
-- A dequeuer looks after runs whose executors have not started: it keeps the launch lease of those that it still launches,
-- confirms the launch of the others, whose executors have start_timeout from the dequeue on to appear, and records what they
-- wait for. As long as the backend names something, start_timeout begins anew.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] launch lease ms; [3] start_timeout ms; then run id, token, '1': it is launched ('' not
--       yet), what it waits for ('' nothing known), ...
-- RETURNS {'OK', word, word, ...} for each run: 'NotStarted' | 'Started': it began, and may have ended | 'STALE': nobody wants this executor any more
--@include lib/open.lua
local reply = {'OK'}
for i = 4, #ARGV, 4 do
    local id, run, waiting_for = ARGV[i], P .. 'run:' .. ARGV[i], ARGV[i + 3]
    local f = call('HMGET', run, 'state', 'token', 'launched_at', 'waiting_for', 'executor', 'dequeued_at')
    local word = 'STALE'
    if f[2] == ARGV[i + 1] then
        word = f[5] and 'Started' or f[1] == 'NotStarted' and f[1] or word
    end
    if word == 'NotStarted' then
        if ARGV[i + 2] == '1' and not f[3] then
            call('HSET', run, 'launched_at', NOW)
            call('ZADD', P .. 'running', 'XX', num((tonumber(f[6]) or now) + ARGV[3]), id)
            f[3] = NOW
        end
        if not f[3] or waiting_for ~= '' then
            call('ZADD', P .. 'running', 'XX', 'GT', num(now + ARGV[f[3] and 3 or 2]), id)
        end
        if waiting_for ~= '' and waiting_for ~= f[4] then
            call('HSET', run, 'waiting_for', waiting_for)
        elseif waiting_for == '' and f[4] then
            call('HDEL', run, 'waiting_for')
        end
    end
    reply[#reply + 1] = word
end
return reply
