-- intake: makes the record of a submitted run. Ids are 'r', the time in nine base-32 digits, a number within the millisecond
-- in three, four of the client's randomness: they sort by submission also when the clock is set back, and stay unique when a
-- fail-over has lost the counters.
--@include lib/events.lua
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

local id_ms, id_seq, id_time -- id_time: id_ms in digits
local function next_id(random)
    if not id_ms then
        local meta = call('HMGET', P .. 'meta', 'id_ms', 'id_seq')
        id_ms, id_seq = tonumber(meta[1]) or 0, tonumber(meta[2]) or 0
        if now > id_ms then
            id_ms, id_seq = now, -1
        end
        id_time = base32(id_ms, 9)
    end
    id_seq = id_seq + 1
    if id_seq == 32768 then
        id_ms, id_seq = id_ms + 1, 0
        id_time = base32(id_ms, 9)
    end
    return 'r' .. id_time .. base32(id_seq, 3) .. random
end

-- To be called once, when all ids were given.
local function ids_keep()
    if id_ms then
        call('HSET', P .. 'meta', 'layout', LAYOUT, 'id_ms', num(id_ms), 'id_seq', num(id_seq))
    end
end

-- Reads one run from ARGV at `at`: spec, job, priority, key, delay_ms, on_lost, max_attempts ('' where not given), number of
-- tags, key, value, ... Returns it and the position behind it.
local function run_argument(at)
    local spec, job, priority, key, delay, on_lost, max_attempts = unpack(ARGV, at, at + 6)
    local ntags = tonumber(ARGV[at + 7])
    local behind = at + 8 + 2 * ntags
    local tags = ntags > 0 and {unpack(ARGV, at + 8, behind - 1)} or {}
    return {spec = spec, priority = priority, key = key, delay = delay, tags = tags,
        fields = {job = job, key = key, on_lost = on_lost, max_attempts = max_attempts}}, behind
end

-- `...`: what else the record says of a run in this state: field, value, ...
local function run_record(r, random, state, ...)
    local id = next_id(random)
    local record = {'state', state, 'priority', r.priority, 'submitted_at', NOW}
    for _, field in ipairs({'job', 'key', 'on_lost', 'max_attempts'}) do
        if r.fields[field] ~= '' then
            record[#record + 1], record[#record + 2] = field, r.fields[field]
        end
    end
    for i = 1, #r.tags, 2 do
        record[#record + 1], record[#record + 2] = 'tag:' .. r.tags[i], r.tags[i + 1]
    end
    for _, word in ipairs({...}) do
        record[#record + 1] = word
    end
    call('HSET', P .. 'run:' .. id, unpack(record))
    call('SET', P .. 'spec:' .. id, r.spec)
    if r.key ~= '' then
        call('SET', P .. 'key:' .. r.key, id)
    end
    emit('RunQueued', id)
    return id
end
