#!lua
-- Accepts runs: gives each an id and files it in the lane of its gates (or among the delayed ones).
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] request `<client>:<seq>`, '' for none; [3] four characters of the client's randomness; [4] number of
--       runs; then for each run: spec, job, priority, key, delay_ms, on_lost, max_attempts ('' where not given), number of
--       tags, key, value, ...
-- RETURNS {'OK', word, id, word, id, ...}: NEW | EXISTS (the idempotency key names that run) | FULL (max_queued_runs; id '')
--@include lib/open.lua
--@include lib/runs.lua
--@include lib/requests.lua
local request, random, count = ARGV[2], ARGV[3], tonumber(ARGV[4])
if request ~= '' then
    local answer = request_answer(request)
    if answer then
        return cmsgpack.unpack(answer)
    end
end

-- Ids: 'r', the time in nine base-32 digits, a number within the millisecond in three, the randomness. They sort by
-- submission also when the clock is set back.
local DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
local function base32(n, width)
    local s = ''
    for _ = 1, width do
        local d = n % 32
        s = DIGITS:sub(d + 1, d + 1) .. s
        n = (n - d) / 32
    end
    return s
end

local meta = call('HMGET', P .. 'meta', 'id_ms', 'id_seq')
local id_ms, id_seq = tonumber(meta[1]) or 0, tonumber(meta[2]) or 0
if now > id_ms then
    id_ms, id_seq = now, -1
end
local function next_id()
    id_seq = id_seq + 1
    if id_seq == 32768 then
        id_ms, id_seq = id_ms + 1, 0
    end
    return 'r' .. base32(id_ms, 9) .. base32(id_seq, 3) .. random
end

local room = run_limit('max_queued_runs') - call('ZCARD', P .. 'queue') - call('ZCARD', P .. 'delayed')

local at, reply, admissible = 5, {'OK'}, false
for _ = 1, count do
    local spec, job, priority, key, delay, on_lost, max_attempts = unpack(ARGV, at, at + 6)
    local ntags, id = tonumber(ARGV[at + 7]), nil
    local tags = ntags > 0 and {unpack(ARGV, at + 8, at + 7 + 2 * ntags)} or {}
    at = at + 8 + 2 * ntags
    local same = key ~= '' and call('GET', P .. 'key:' .. key)
    if same then
        reply[#reply + 1], reply[#reply + 2] = 'EXISTS', same
    elseif room <= 0 then
        reply[#reply + 1], reply[#reply + 2] = 'FULL', ''
    else
        room, id = room - 1, next_id()
        local record = {'state', 'Queued', 'priority', priority, 'submitted_at', num(now)}
        local function add(field, value)
            if value ~= '' then
                record[#record + 1], record[#record + 2] = field, value
            end
        end
        add('job', job)
        add('key', key)
        add('on_lost', on_lost)
        add('max_attempts', max_attempts)
        for i = 1, #tags, 2 do
            record[#record + 1], record[#record + 2] = 'tag:' .. tags[i], tags[i + 1]
        end
        call('SET', P .. 'spec:' .. id, spec)
        if key ~= '' then
            call('SET', P .. 'key:' .. key, id)
        end
        if delay ~= '' then
            add('not_before', num(now + tonumber(delay)))
            call('HSET', P .. 'run:' .. id, unpack(record))
            call('ZADD', P .. 'delayed', num(now + tonumber(delay)), id)
        else
            call('HSET', P .. 'run:' .. id, unpack(record))
            admissible = run_enqueue(id, tonumber(priority), tags) or admissible
        end
        emit('RunQueued', id)
        reply[#reply + 1], reply[#reply + 2] = 'NEW', id
    end
end
call('HSET', P .. 'meta', 'layout', '1', 'id_ms', num(id_ms), 'id_seq', num(id_seq))
if admissible then
    ring_if_admissible()
end
if request ~= '' then
    request_keep(request, cmsgpack.pack(reply))
end
return reply
