#!lua flags=allow-oom
-- Renews the leases of grants, all those of an executor in one call. What has ended cannot be renewed.
-- KEYS  [1] prefix
-- ARGV  [1] now; then claim, token, claim, token, ...
-- RETURNS {'OK', word, word, ...}: OK | STALE for each grant
--@include lib/open.lua
--@include lib/grace.lua
--@include lib/history.lua
local PAUSE, SLICE = 30000, 1000
local reply, steps, expiry_of = {'OK'}, {}, {}

local function renewed(claim, lease)
    local run, step = claim:match('^([^/]*)/(.*)$')
    steps[run] = steps[run] or {}
    table.insert(steps[run], step)
    expiry_of[lease] = expiry_of[lease] or num(now + lease)
    return expiry_of[lease]
end

-- These claims, and the tokens at the same places.
local function renew(claims, tokens)
    local expiries, scores = call('ZMSCORE', P .. 'slots', unpack(claims)), {}
    for i, claim in ipairs(claims) do
        local f = call('HMGET', P .. 'slot:' .. claim, 'token', 'lease')
        if f[1] == tokens[i] and not is_over(expiries[i], f[2]) then
            scores[#scores + 1], scores[#scores + 2] = renewed(claim, f[2]), claim
            reply[#reply + 1] = 'OK'
        else
            history_seen(tonumber(tokens[i]), PAUSE)
            reply[#reply + 1] = 'STALE'
        end
    end
    if #scores > 0 then
        call('ZADD', P .. 'slots', 'XX', unpack(scores))
    end
end

for from = 2, #ARGV, 2 * SLICE do
    local claims, tokens = {}, {}
    for i = from, math.min(from + 2 * SLICE, #ARGV) - 1, 2 do
        claims[#claims + 1], tokens[#tokens + 1] = ARGV[i], ARGV[i + 1]
    end
    renew(claims, tokens)
end
for run, names in pairs(steps) do
    emit('StepSlotRenewed', run, 'step', table.concat(names, ','))
end
return reply
