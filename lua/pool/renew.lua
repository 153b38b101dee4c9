#!lua flags=allow-oom
-- Renews the leases of grants, all those of an executor in one call. What has ended cannot be renewed.
-- KEYS  [1] prefix
-- ARGV  [1] now; then claim, token, claim, token, ...
-- RETURNS {'OK', word, word, ...}: OK | STALE for each grant
--@include lib/open.lua
--@include lib/pools.lua
--@include lib/history.lua
local PAUSE = 30000
local reply = {'OK'}
for i = 2, #ARGV, 2 do
    local claim, token = ARGV[i], ARGV[i + 1]
    local f = call('HMGET', P .. 'slot:' .. claim, 'token', 'lease', 'attempt', 'shape')
    if f[1] == token and not slot_is_over(claim, tonumber(f[2])) then
        call('ZADD', P .. 'slots', 'XX', num(now + f[2]), claim)
        emit_claim('StepSlotRenewed', claim, f[3], f[4], 'token', token)
        reply[#reply + 1] = 'OK'
    else
        history_seen(tonumber(token), PAUSE)
        reply[#reply + 1] = 'STALE'
    end
end
return reply
