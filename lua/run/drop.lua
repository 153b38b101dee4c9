#!lua flags=allow-oom
-- Counts output of a step that run/log refused for want of memory, also when the run has ended meanwhile.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] executor; [5] step; [6] position behind what is missing, as in run/log
-- RETURNS {'OK'} | {'STALE', state} | {'NOT_FOUND'}
--@include lib/open.lua
local id, token, executor, step, behind = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local run = P .. 'run:' .. id
local f = call('HMGET', run, 'state', 'token', 'logged:' .. step, 'executor')
if not f[1] then
    return {'NOT_FOUND'}
end
if f[2] ~= token or f[4] ~= executor then
    return {'STALE', f[1]}
end
local logger, logged = (f[3] or ''):match('^(%d+) (%d+)$')
local known = logger == token and tonumber(logged) or 0
if behind > known then
    call('HINCRBY', run, 'missing:' .. step, num(behind - known))
    call('HSET', run, 'logged:' .. step, token .. ' ' .. num(behind))
end
return {'OK'}
