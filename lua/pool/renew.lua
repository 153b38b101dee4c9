#!lua flags=allow-oom
-- Renews the leases of grants, all those of an executor in one call. What has ended cannot be renewed.
-- KEYS  [1] prefix
-- ARGV  [1] now; then claim, token, claim, token, ...
-- RETURNS {'OK', word, word, ...}: OK | STALE for each grant
--@include lib/open.lua
--@include lib/pools.lua
local reply, renewed = {'OK'}, {}
for i = 2, #ARGV, 2 do
    local claim, token = ARGV[i], ARGV[i + 1]
    local f = call('HMGET', P .. 'slot:' .. claim, 'token', 'lease')
    local expiry = call('ZSCORE', P .. 'slots', claim)
    if f[1] == token and expiry and (tonumber(expiry) > now or in_grace(tonumber(f[2]))) then
        call('ZADD', P .. 'slots', 'XX', num(now + f[2]), claim)
        reply[#reply + 1], renewed[#renewed + 1] = 'OK', token
    else
        reply[#reply + 1] = 'STALE'
    end
end
if #renewed > 0 then
    emit('StepSlotRenewed', run_and_step(ARGV[2]), 'tokens', table.concat(renewed, ','))
end
return reply
