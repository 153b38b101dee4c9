#!lua
-- Makes a run that is executed at once by the caller, past the gates of the queue; it counts as in progress. The caller
-- starts it (run/start) with the token it is given.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] request `<client>:<seq>`; [3] four characters of the client's randomness; [4] who executes it; [5] ms
--       it has to start; then the run as in run/submit (key and delay are not looked at)
-- RETURNS {'OK', id, token}
--@include lib/open.lua
--@include lib/queue/runs.lua
--@include lib/queue/intake.lua
--@include lib/requests.lua
local answer = request_answer(ARGV[2])
if answer then
    return cmsgpack.unpack(answer)
end
local r = run_argument(6)
r.key, r.fields.key = '', ''
local lane, token = lane_of(r.tags), num(call('HINCRBY', P .. 'meta', 'token', '1'))
local id = run_record(r, ARGV[3], 'NotStarted', 'gates', lane, 'token', token, 'attempt', '1', 'dequeuer', ARGV[4],
    'dequeued_at', NOW, 'launched_at', NOW)
call('ZADD', P .. 'running', num(now + tonumber(ARGV[5])), id)
for _, gate in ipairs(gates_in[lane]) do
    gate_enter(gate, id)
end
if not limits_are_followed() then -- all in progress are to be counted again
    call('HDEL', P .. 'refile', 'seen', 'names')
end
emit('RunDequeued', id, 'token', token, 'attempt', '1', 'dequeuer', ARGV[4])
ids_keep()
request_keep(ARGV[2], cmsgpack.pack({'OK', id, token}))
return {'OK', id, token}
