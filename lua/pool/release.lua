#!lua flags=allow-oom
-- Gives slots back, or leaves the waiting line. A stale token gives nothing back.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the grant, '' when the claimant knows of none; [4] attempt
-- RETURNS {'OK'}, also when nothing is held or waited for | {'STALE'}: another grant or attempt holds or waits now
--@include lib/open.lua
--@include lib/pools.lua
local claim, token, attempt = ARGV[2], ARGV[3], ARGV[4]
local held, waits = grant_of(claim), call('HGET', P .. 'wait:' .. claim, 'attempt')
if held and (held.attempt ~= attempt or (token ~= '' and held.token ~= token)) or
    (waits and (waits ~= attempt or token ~= '')) then
    return {'STALE'}
end
local over = held and slot_is_over(claim, held.lease)
slots_release(claim, over and 'StepSlotExpired' or 'StepSlotReleased')
return {'OK'}
