#!lua
-- Accepts runs: gives each an id and files it in the lane of its gates (or among the delayed ones).
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] request `<client>:<seq>`, '' for none; [3] four characters of the client's randomness; [4] number of
--       runs; [5] number of claims of their steps; these: number of the run (from 1), step, pool, slots, ...; then the
--       runs: lib/queue/intake.lua
-- RETURNS {'OK', word, id, word, id, ...}: NEW | EXISTS (the idempotency key names that run) | FULL (max_queued_runs; id '')
--         | NEVER (a claim is larger than its pool; in place of the id what is wrong)
--@include lib/open.lua
--@include lib/queue/filing.lua
--@include lib/queue/intake.lua
--@include lib/queue/ready.lua
--@include lib/queue/run_limits.lua
--@include lib/requests.lua
local random, count = ARGV[3], tonumber(ARGV[4])
local answer = request_answer()
if answer then
    return cmsgpack.unpack(answer)
end

local room = run_limit('max_queued_runs', MAX_QUEUED_RUNS)
if room < math.huge then
    room = room - call('ZCARD', P .. 'queue') - call('ZCARD', P .. 'delayed')
end

local at, never = 6 + 4 * ARGV[5], {}
if at > 6 then
    --@include lib/pools/room.lua
    for i = 6, at - 1, 4 do
        local step, pool, slots = unpack(ARGV, i + 1, i + 3)
        local limit = pool_limit[escape(pool)]
        if limit and limit > 0 and tonumber(slots) > limit then
            never[tonumber(ARGV[i])] = "step '" .. step .. "' asks " .. slots .. " slots of pool '" .. pool .. "' (limit "
                .. num(limit) .. '): it can never run'
        end
    end
end

local reply, admissible, queued = {'OK'}, false, {}
local function queue_add()
    call('ZADD', P .. 'queue', unpack(queued))
    queued = {}
end

-- Returns the id of the run that is in ARGV from `at` on.
local function file(behind)
    local id, delay = next_id(random), ARGV[at + 3]
    if delay == '' then
        local lane, score = lane_of(ARGV, at + 5, behind - 1), score_of(ARGV[at + 1])
        run_record(at, behind, id, 'Queued', 'gates', lane)
        admissible = run_file(id, score, lane) or admissible
        queued[#queued + 1], queued[#queued + 2] = score, id
        if #queued == 100 then
            queue_add()
        end
    else
        local due = num(now + tonumber(delay))
        run_record(at, behind, id, 'Queued', 'not_before', due)
        call('ZADD', P .. 'delayed', due, id)
    end
    return id
end

for i = 1, count do
    local behind, key = run_behind(at), ARGV[at + 2]
    local same, word, id = key ~= '' and call('GET', P .. 'key:' .. key)
    if same then
        word, id = 'EXISTS', same
    elseif never[i] then
        word, id = 'NEVER', never[i]
    elseif room <= 0 then
        word, id = 'FULL', ''
    else
        word, id = 'NEW', file(behind)
        room = room - 1
        if key ~= '' then
            call('SET', P .. 'key:' .. key, id)
            call('HSET', P .. 'run:' .. id, 'key', key)
        end
    end
    reply[2 * i], reply[2 * i + 1] = word, id
    at = behind
end
if queued[1] then
    queue_add()
end
ids_keep()
if admissible then
    ring_if_admissible()
end
request_keep(cmsgpack.pack(reply))
return reply
