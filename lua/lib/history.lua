-- history: tokens only grow. Whoever shows one that this server has not given yet has seen more than the server knows: a restore
-- or a fail-over has lost history. Tokens are raised past what was seen, and for `pause` ms nothing is admitted or granted,
-- in which whoever works on what is not known here any more hears of it and ends it.
--@include lib/events.lua
local SKIP = 1000000 -- more than were given to others in the same lost history

local function history_seen(token, pause)
    local given = tonumber(call('HGET', P .. 'meta', 'token')) or 0
    if not token or token <= given then
        return
    end
    local losses = tonumber((call('HGET', P .. 'meta', 'epoch') or '0'):match('^%d+')) + 1
    -- Two servers that were restored from the same data have lost as often: the second part tells them apart.
    local epoch = num(losses) .. '-' .. redis.sha1hex(NOW .. ' ' .. num(token) .. ' ' .. num(given)):sub(1, 12)
    call('HSET', P .. 'meta', 'token', num(token + SKIP), 'paused_until', num(now + pause), 'resumed_at', NOW,
        'epoch', epoch, 'epoch_at', NOW)
    emit('HistoryLost', '', 'seen', num(token), 'known', num(given), 'epoch', epoch)
end

local function is_paused()
    return now < (tonumber(call('HGET', P .. 'meta', 'paused_until')) or 0)
end
