#!lua flags=allow-oom
-- Gives slots back, or leaves the waiting line. A stale token gives nothing back.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the grant, '' when the claimant knows of none; [4] attempt
-- RETURNS {'OK'}, also when nothing is held or waited for | {'STALE'}: another grant or attempt holds or waits now
--@include lib/open.lua
--@include lib/pools/ungrant.lua
local claim, token, attempt = ARGV[2], ARGV[3], ARGV[4]
local mine = grant_of(claim)

if mine then
    if mine.attempt ~= attempt or (token ~= '' and mine.token ~= token) then
        return {'STALE'}
    end
    local expiry = call('ZSCORE', P .. 'slots', claim)
    local is_ended = now >= tonumber(expiry or 0)
    if is_ended then
        --@include lib/grace.lua
        is_ended = is_over(expiry, mine.lease)
    end
    ungrant(claim, mine, is_ended and 'StepSlotExpired' or 'StepSlotReleased')
    local found = call('EXISTS', P .. 'waiters', P .. 'pools_due')
    if found == 0 then
        return {'OK'}
    end
    --@include lib/pools/shut_out.lua
    if found == 1 and is_shut_out(mine.shape) then
        return {'OK'}
    end
    return (function()
        --@include lib/pools/serve.lua
        give_on(mine.shape)
        return {'OK'}
    end)()
end

local function leave_line()
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape')
    if f[1] and (f[1] ~= attempt or token ~= '') then
        return {'STALE'}
    elseif f[1] then
        --@include lib/pools/waiters.lua
        --@include lib/pools/shut_out.lua
        waiter_drop(claim)
        if call('EXISTS', P .. 'pools_due') == 1 or not is_shut_out(f[2]) then
            --@include lib/pools/serve.lua
            give_on(f[2])
        end
    else
        --@include lib/pools/pools.lua
        slots_release(claim)
    end
    return {'OK'}
end
return leave_line()
