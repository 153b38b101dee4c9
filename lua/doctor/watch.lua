#!lua
-- What dequeuers ask in the background: the epoch of the history, and now and then one slice of the audit, which goes from one
-- to the next of them. Each fault is counted, with an event DriftFound; nothing is put right.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] ms from the begin of one audit to the next, 0: there is none; [3] ms between two slices
-- RETURNS {'OK', {epoch, '1': the audit goes on | '0'}, a row for each fault as doctor/audit has it, ...}
--@include lib/open.lua
local DOCTOR, found = P .. 'doctor', {}
local epoch = call('HGET', P .. 'meta', 'epoch') or ''
local f = call('HMGET', DOCTOR, 'next_at', 'cursor', 'begun_at')
local next_at, cursor, begun_at = tonumber(f[1]) or 0, f[2] or '', tonumber(f[3])
local interval, pause = tonumber(ARGV[2]), tonumber(ARGV[3])
if interval == 0 or (now < next_at and next_at <= now + interval) then
    return {'OK', {epoch, '0'}}
end
do
    --@include lib/audit.lua
    if cursor == '' then
        begun_at = now
    end
    cursor, found = audit(cursor, false), faults
    for _, fault in ipairs(found) do
        emit('DriftFound', fault[2]:match('^[^/]*'), 'what', fault[1], 'subject', fault[2], 'detail', fault[3])
    end
end
if #found > 0 then
    call('HINCRBY', P .. 'meta', 'drift', #found)
end
if cursor == '' then
    next_at = math.max(begun_at + interval, now + pause)
    call('HSET', DOCTOR, 'ended_at', NOW)
else
    next_at = now + pause
end
call('HSET', DOCTOR, 'next_at', num(next_at), 'cursor', cursor, 'begun_at', num(begun_at))
return {'OK', {epoch, cursor == '' and '0' or '1'}, unpack(found)}
