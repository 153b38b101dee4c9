#!lua flags=allow-oom
-- Gives slots back, or leaves the waiting line. A stale token gives nothing back.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the grant, '' when the claimant knows of none; [4] attempt
-- RETURNS {'OK'}, also when nothing is held or waited for | {'STALE'}: another grant or attempt holds or waits now
--@include lib/open.lua
--@include lib/pools.lua
local claim, token, attempt = ARGV[2], ARGV[3], ARGV[4]
local held = call('HMGET', P .. 'slot:' .. claim, 'attempt', 'token', 'lease')
local waits = call('HGET', P .. 'wait:' .. claim, 'attempt')
if (held[1] or waits or attempt) ~= attempt or (token ~= '' and (waits or (held[2] or token) ~= token)) then
    return {'STALE'}
end
local over = held[1] and slot_is_over(claim, tonumber(held[3]))
slots_release(claim, over and 'StepSlotExpired' or 'StepSlotReleased')
return {'OK'}
