#!lua flags=allow-oom
-- Gives slots back, or leaves the waiting line. A stale token gives nothing back.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the grant, '' when the claimant knows of none; [4] attempt
-- RETURNS {'OK'}, also when nothing is held or waited for | {'STALE'}: another grant or attempt holds or waits now
--@include lib/open.lua
--@include lib/pools/ungrant.lua
local claim, token, attempt = ARGV[2], ARGV[3], ARGV[4]
local mine, shape = grant_of(claim), nil
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
    shape = mine.shape
else
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape')
    if not f[1] then
        --@include lib/pools/pools.lua
        slots_release(claim)
        return {'OK'}
    elseif f[1] ~= attempt or token ~= '' then
        return {'STALE'}
    end
    --@include lib/pools/waiters.lua
    waiter_drop(claim)
    shape = f[2]
end

-- What was given back is for those who wait, when one of them may come in.
local found = call('EXISTS', P .. 'waiters', P .. 'pools_due')
if found > 0 then
    --@include lib/pools/shut_out.lua
    if found == 2 or not is_shut_out(shape) then
        --@include lib/pools/serve.lua
        give_on(shape)
    end
end
return {'OK'}
