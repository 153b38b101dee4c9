#!lua
-- Makes a run that is executed at once by the caller, past the gates of the queue; it counts as in progress. The caller
-- starts it (run/start) with the token it is given.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] request `<client>:<seq>`; [3] four characters of the client's randomness; [4] who executes it; [5] ms
--       it has to start; [6] a run: lib/queue/intake.lua (key and delay are not looked at)
-- RETURNS {'OK', id, token}
--@include lib/open.lua
--@include lib/queue/runs.lua
--@include lib/queue/intake.lua
--@include lib/requests.lua
local answer = request_answer()
if answer then
    return cmsgpack.unpack(answer)
end
local behind, id, token = run_behind(6), next_id(ARGV[3]), num(call('HINCRBY', P .. 'meta', 'token', '1'))
local lane = lane_of(ARGV, 11, behind - 1)
run_record(6, behind, id, 'NotStarted', 'gates', lane)
call('HSET', P .. 'run:' .. id, 'token', token, 'attempt', '1', 'dequeuer', ARGV[4], 'dequeued_at', NOW, 'launched_at', NOW)
call('ZADD', P .. 'running', num(now + tonumber(ARGV[5])), id)
for _, gate in ipairs(gates_in[lane]) do
    gate_enter(gate, id)
end
if not limits_are_followed() then -- all in progress are to be counted again
    call('HDEL', P .. 'refile', 'seen', 'names')
end
emit('RunDequeued', id, 'token', token, 'attempt', '1', 'dequeuer', ARGV[4])
ids_keep()
request_keep(cmsgpack.pack({'OK', id, token}))
return {'OK', id, token}
