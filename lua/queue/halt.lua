#!lua flags=no-writes
-- What keeps the whole queue from going on, whatever its limits.
-- KEYS  [1] prefix
-- ARGV  [1] now
-- RETURNS {'NONE'} | {'UNATTENDED', when a dequeuer has looked last, '' never} | {'HELD', until when: history was lost}
--@include lib/open.lua
local LONG = 15000 -- ms: dequeuers that live look several times in it
local f = call('HMGET', P .. 'meta', 'swept_at', 'paused_until')
local looked_at, held_until = tonumber(f[1]), tonumber(f[2])
if not looked_at or now >= looked_at + LONG then
    return {'UNATTENDED', f[1] or ''}
elseif held_until and now < held_until then
    return {'HELD', f[2]}
end
return {'NONE'}
