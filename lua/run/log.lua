#!lua
-- Appends to the log of a step; the last MiB is kept. What is there already is not appended again.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id; [3] token; [4] executor; [5] step; [6] bytes; [7] position behind these bytes in all that the holder of
--       this token has had to log of the step: what lies between the last ones and these is missing
-- RETURNS {'OK'} | {'STALE', state} | {'NOT_FOUND'}
-- The log is the string `log:<run>/<step>`. Of the run's fields `dropped:<step>` counts what is no longer in it, so that a
-- reader who follows knows where it is, `missing:<step>` what never came; `logged:<step>` is `<token> <position>` of the last call.
--@include lib/open.lua
local KEEP = 1048576
local id, token, executor, step, bytes, behind = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local run, log = P .. 'run:' .. id, P .. 'log:' .. id .. '/' .. step
local f = call('HMGET', run, 'state', 'token', 'logged:' .. step, 'executor')
if not f[1] then
    return {'NOT_FOUND'}
end
if f[1] ~= 'Started' or f[2] ~= token or f[4] ~= executor then
    return {'STALE', f[1]}
end
local logger, logged = (f[3] or ''):match('^(%d+) (%d+)$')
local known, first = logger == token and tonumber(logged) or 0, behind - #bytes
if behind <= known then
    return {'OK'}
end
local length = call('APPEND', log, bytes:sub(1 + math.max(0, known - first)))
if length > KEEP + 262144 then
    call('SET', log, call('GETRANGE', log, -KEEP, -1))
    call('HINCRBY', run, 'dropped:' .. step, num(length - KEEP))
end
call('HSET', run, 'logged:' .. step, token .. ' ' .. num(behind))
if first > known then
    call('HINCRBY', run, 'missing:' .. step, num(first - known))
end
return {'OK'}
