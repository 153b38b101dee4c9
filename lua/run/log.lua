#!lua
-- Appends to the log of a step; the last MiB is kept.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] step; [5] bytes; [6] number of bytes that were dropped before these
-- RETURNS {'OK'} | {'STALE', state} | {'NOT_FOUND'}
-- The log is the string `log:<run>/<step>`; the field `dropped:<step>` of the run counts what is no longer in it, so that
-- a reader who follows knows where it is.
--@include lib/open.lua
local KEEP = 1048576
local id, step, bytes, dropped = ARGV[2], ARGV[4], ARGV[5], tonumber(ARGV[6])
local run, log = P .. 'run:' .. id, P .. 'log:' .. id .. '/' .. step
local f = call('HMGET', run, 'state', 'token')
if not f[1] then
    return {'NOT_FOUND'}
end
if f[1] ~= 'Started' or f[2] ~= ARGV[3] then
    return {'STALE', f[1]}
end
local length = call('APPEND', log, bytes)
if length > KEEP + 262144 then
    call('SET', log, call('GETRANGE', log, -KEEP, -1))
    dropped = dropped + length - KEEP
end
if dropped > 0 then
    call('HINCRBY', run, 'dropped:' .. step, num(dropped))
end
return {'OK'}
