#!lua flags=allow-oom
-- Renews the leases of what steps of a run hold, all in one call. What has ended cannot be renewed.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run; then steps; then for each of them, in the same order, the token of its grant
-- RETURNS {'OK', token, ...}: the tokens that are stale
--@include lib/open.lua
--@include lib/pools/due.lua
local RUN_LEASE, SLICE = 30000, 1000 -- ms, of a run that is not known here, or of none
local run, n = ARGV[2], (#ARGV - 2) / 2
local reply, ended = {'OK'}, is_any_due('slots')

-- What is shown was not given, not for this claim, or has ended.
local function is_stale(claim, token, known, lease)
    --@include lib/grace.lua
    --@include lib/history.lua
    if known == token and not slot_is_over(claim, lease) then
        return false
    end
    history_seen(tonumber(token), tonumber(call('HGET', P .. 'run:' .. run, 'lease')) or RUN_LEASE)
    return true
end

-- The steps from this argument to that one. Most leases are as long as the one before, and then nothing is read of a grant:
-- it is compared.
local function renew(first, last)
    local steps, grants, prefix = ARGV, call('HMGET', P .. 'slots:' .. run, unpack(ARGV, first, last)), run .. '/'
    local scores, count, lease, words, expiry = {}, 0, '0', ' lease=0 ', NOW
    for i = 1, #grants do
        local claim, token, grant = prefix .. steps[first + i - 1], steps[first + i - 1 + n], grants[i] or ''
        local known, given = token, lease
        if grant:find('token=' .. token .. words, 1, true) ~= 1 then
            known, given = grant:match('^token=(%d+) lease=(%d+)')
        end
        if (known ~= token or ended) and is_stale(claim, token, known, given) then
            reply[#reply + 1] = token
        else
            if given ~= lease then
                lease, words, expiry = given, ' lease=' .. given .. ' ', num(now + given)
            end
            scores[count + 1], scores[count + 2] = expiry, claim
            count = count + 2
        end
    end
    if count == 0 then
        return
    elseif count < 2 * #grants then -- the others are stale
        steps, first, last = {}, 1, count / 2
        for i = first, last do
            steps[i] = scores[2 * i]:sub(#prefix + 1)
        end
    end
    call('ZADD', P .. 'slots', unpack(scores))
    --@include lib/events.lua
    emit('StepSlotRenewed', run, 'step', table.concat(steps, ',', first, last))
end

for first = 3, 2 + n, SLICE do
    renew(first, math.min(first + SLICE - 1, 2 + n))
end
return reply
