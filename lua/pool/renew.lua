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
    local grants, prefix = call('HMGET', P .. 'slots:' .. run, unpack(ARGV, first, last)), run .. '/'
    local scores, steps, count, lease, words, expiry = {}, {}, 0, '0', ' lease=0 ', NOW
    for i = 1, #grants do
        local step, token, grant = ARGV[first + i - 1], ARGV[first + i - 1 + n], grants[i] or ''
        local claim, known, given = prefix .. step, token, lease
        if grant:find('token=' .. token .. words, 1, true) ~= 1 then
            known, given = grant:match('^token=(%d+) lease=(%d+)')
        end
        if (known ~= token or ended) and is_stale(claim, token, known, given) then
            reply[#reply + 1] = token
        else
            if given ~= lease then
                lease, words, expiry = given, ' lease=' .. given .. ' ', num(now + given)
            end
            count = count + 1
            steps[count], scores[2 * count - 1], scores[2 * count] = step, expiry, claim
        end
    end
    if count > 0 then
        call('ZADD', P .. 'slots', unpack(scores))
        --@include lib/events.lua
        emit('StepSlotRenewed', run, 'step', table.concat(steps, ','))
    end
end

for first = 3, 2 + n, SLICE do
    renew(first, math.min(first + SLICE - 1, 2 + n))
end
return reply
