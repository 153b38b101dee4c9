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

-- A run in ARGV, from `at` on: spec, priority, key, delay_ms ('' where not given), number of fields, field, value, ... of its
-- record: job, on_lost, max_attempts, tag:<key>. Returns the position behind it.
local function run_behind(at)
    return at + 5 + 2 * tonumber(ARGV[at + 4])
end

-- Stores the run that is in ARGV from `at` on. `field`, `value`: what its record says of it in this state.
local function run_record(at, behind, id, state, field, value)
    call('HSET', P .. 'run:' .. id, 'state', state, 'priority', ARGV[at + 1], 'submitted_at', NOW, field, value,
        unpack(ARGV, at + 5, behind - 1))
    call('SET', P .. 'spec:' .. id, ARGV[at])
    emit('RunQueued', id)
end
