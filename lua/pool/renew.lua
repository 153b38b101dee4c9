#!lua flags=allow-oom
-- Renews the leases of grants, all those of an executor in one call. What has ended cannot be renewed.
-- KEYS  [1] prefix
-- ARGV  [1] now; then claim, token, claim, token, ...: those of one run follow each other, and are one look
-- RETURNS {'OK', word, word, ...}: OK | STALE for each grant
--@include lib/open.lua
local PAUSE, SLICE = 30000, 1000
local reply, ended = {'OK'}, call('ZCOUNT', P .. 'slots', '-inf', NOW) > 0

-- The run of the claim at this place, its steps there and behind.
local function steps_from(place)
    local run, step = ARGV[place]:match('^([^/]*)/(.*)$')
    local prefix, steps, n = run .. '/', {step}, 1
    for i = place + 2, math.min(#ARGV, place + 2 * SLICE) - 1, 2 do
        local claim = ARGV[i]
        if claim:find(prefix, 1, true) ~= 1 then
            break
        end
        n = n + 1
        steps[n] = claim:sub(#prefix + 1)
    end
    return run, steps
end

-- What is shown was not given, not for this claim, or has ended.
local function is_stale(claim, token, known, lease)
    --@include lib/grace.lua
    --@include lib/history.lua
    if known == token and not slot_is_over(claim, lease) then
        return false
    end
    history_seen(tonumber(token), PAUSE)
    return true
end

local function renew(run, steps, place)
    local scores, renewed, last, expiry = {}, {}, nil, nil
    for i, text in ipairs(call('HMGET', P .. 'slots:' .. run, unpack(steps))) do
        local claim, token = ARGV[place], ARGV[place + 1]
        local known, lease = (text or ''):match('^token=(%d+) lease=(%d+)')
        if (known ~= token or ended) and is_stale(claim, token, known, lease) then
            reply[#reply + 1] = 'STALE'
        else
            if lease ~= last then
                last, expiry = lease, num(now + lease)
            end
            scores[#scores + 1], scores[#scores + 2] = expiry, claim
            renewed[#renewed + 1], reply[#reply + 1] = steps[i], 'OK'
        end
        place = place + 2
    end
    if #renewed > 0 then
        call('ZADD', P .. 'slots', unpack(scores))
        --@include lib/events.lua
        emit('StepSlotRenewed', run, 'step', table.concat(renewed, ','))
    end
end

local place = 2
while place < #ARGV do
    local run, steps = steps_from(place)
    renew(run, steps, place)
    place = place + 2 * #steps
end
return reply
