#!lua flags=allow-oom
-- Gives slots back, or leaves the waiting line. A stale token gives nothing back.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the grant, '' when the claimant knows of none; [4] attempt
-- RETURNS {'OK'}, also when nothing is held or waited for | {'STALE'}: another grant or attempt holds or waits now
--@include lib/open.lua
--@include lib/ungrant.lua
local claim, token, attempt = ARGV[2], ARGV[3], ARGV[4]
local mine = grant_of(claim)

local function is_ended()
    local expiry = call('ZSCORE', P .. 'slots', claim)
    if expiry and now < tonumber(expiry) then
        return false
    end
    --@include lib/grace.lua
    return is_over(expiry, mine.lease)
end

if mine then
    if mine.attempt ~= attempt or (token ~= '' and mine.token ~= token) then
        return {'STALE'}
    end
    ungrant(claim, mine, is_ended() and 'StepSlotExpired' or 'StepSlotReleased')
    if call('EXISTS', P .. 'waiters', P .. 'pools_due') > 0 then
        --@include lib/give_on.lua
        give_on(mine.shape)
    end
    return {'OK'}
end

local function leave_line()
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape')
    if f[1] and (f[1] ~= attempt or token ~= '') then
        return {'STALE'}
    elseif f[1] then
        --@include lib/waiters.lua
        --@include lib/give_on.lua
        waiter_drop(claim)
        give_on(f[2])
    else
        --@include lib/pools.lua
        slots_release(claim)
    end
    return {'OK'}
end
return leave_line()
