#!lua flags=no-writes
-- A page of the queue in the order of admission, and behind it the delayed runs by their time.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] first position, from 0; [3] number of rows, at most 100 are given
-- RETURNS {'OK', total, row, row, ...}, row = {id, job, priority, submitted_at, not_before or '', reason or ''}
--@include lib/open.lua
--@include lib/queue/reasons.lua
local first, many = tonumber(ARGV[2]), math.min(tonumber(ARGV[3]), 100)
local queued, delayed = call('ZCARD', P .. 'queue'), call('ZCARD', P .. 'delayed')
local reply = {'OK', num(queued + delayed)}

local function rows(key, from)
    for _, id in ipairs(call('ZRANGE', key, num(from), num(from + many - 1))) do
        local f = call('HMGET', P .. 'run:' .. id, 'job', 'priority', 'submitted_at', 'not_before', 'gates')
        local reason = f[4] and '' or reason_text(blocking_gates(f[5] or ''))
        reply[#reply + 1] = {id, f[1] or '', f[2] or '0', f[3] or '0', f[4] or '', reason}
    end
end

if many > 0 and first < queued then
    rows(P .. 'queue', first)
end
many = many - (#reply - 2)
if many > 0 then
    rows(P .. 'delayed', math.max(0, first - queued))
end
return reply
