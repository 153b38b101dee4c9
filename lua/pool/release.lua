#!lua flags=allow-oom
-- Gives slots back, or leaves the waiting line. A stale token gives nothing back.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the grant, '' to leave the waiting line; [4] attempt
-- RETURNS {'OK'}, also when nothing is held or waited for | {'STALE'}: another grant holds now
--@include lib/open.lua
--@include lib/pools.lua
local claim, token, attempt = ARGV[2], ARGV[3], ARGV[4]
local slot = call('HMGET', P .. 'slot:' .. claim, 'token', 'attempt')
local waits = call('HGET', P .. 'wait:' .. claim, 'attempt')
if slot[1] and ((token ~= '' and slot[1] ~= token) or slot[2] ~= attempt) or (waits and waits ~= attempt) then
    return {'STALE'}
end
slots_release(claim, 'StepSlotReleased')
return {'OK'}
