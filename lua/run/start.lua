#!lua flags=allow-oom
-- An executor takes a launched run over: NotStarted -> Started, under a run lease.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] executor `<host>:<pid>`; [5] lease ms
-- RETURNS {'OK'}, also when the same executor asks again; what the run is, it reads beside: `run:<id>`, `spec:<id>`
--         {'STALE', state}: the token is not the current one, or the run is no longer to be started
--         {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/events.lua
local id, token, executor = ARGV[2], ARGV[3], ARGV[4]
local run = P .. 'run:' .. id
local f = call('HMGET', run, 'state', 'token', 'attempt', 'waiting_for')
if not f[1] then
    return {'NOT_FOUND'}
end
local again = f[1] == 'Started' and call('HGET', run, 'executor') == executor
if f[2] ~= token or not (f[1] == 'NotStarted' or again) then
    return {'STALE', f[1]}
end
if not again then
    call('HSET', run, 'state', 'Started', 'started_at', NOW, 'executor', executor, 'lease', ARGV[5])
    if f[4] then
        call('HDEL', run, 'waiting_for')
    end
    emit('RunStart', id, 'token', token, 'attempt', f[3], 'executor', executor)
end
call('ZADD', P .. 'running', 'XX', num(now + tonumber(ARGV[5])), id) -- it counts from when it asked last
return {'OK'}
