#!lua flags=allow-oom
-- Renews the leases of started runs.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] lease ms; then run id, token, executor, run id, token, executor, ... (up to a thousand runs)
-- RETURNS {'OK', word, word, ...} for each run: 'OK' | {'CANCEL', grace ms} (renewed; it was asked to end) | 'STALE'
--@include lib/open.lua
--@include lib/history.lua
local expiry, reply, renewed = num(now + tonumber(ARGV[2])), {'OK'}, {}
for i = 3, #ARGV, 3 do
    local id = ARGV[i]
    local f = call('HMGET', P .. 'run:' .. id, 'state', 'token', 'executor', 'cancel_at')
    if f[1] ~= 'Started' or f[2] ~= ARGV[i + 1] or f[3] ~= ARGV[i + 2] then
        history_seen(tonumber(ARGV[i + 1]), tonumber(ARGV[2]))
        reply[#reply + 1] = 'STALE'
    else
        renewed[#renewed + 1] = expiry
        renewed[#renewed + 1] = id
        reply[#reply + 1] = f[4] and {'CANCEL', call('HGET', P .. 'run:' .. id, 'cancel_grace') or '0'} or 'OK'
    end
end
if renewed[1] then
    call('ZADD', P .. 'running', 'XX', unpack(renewed))
end
return reply
