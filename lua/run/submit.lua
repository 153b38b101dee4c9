#!lua
-- Accepts runs: gives each an id and files it in the lane of its gates (or among the delayed ones).
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] request `<client>:<seq>`, '' for none; [3] four characters of the client's randomness; [4] number of
--       runs; then for each run: spec, job, priority, key, delay_ms, on_lost, max_attempts ('' where not given), number of
--       tags, key, value, ...; behind the runs what their steps claim: number of the run (from 1), step, pool, slots, ...
-- RETURNS {'OK', word, id, word, id, ...}: NEW | EXISTS (the idempotency key names that run) | FULL (max_queued_runs; id '')
--         | NEVER (a claim is larger than its pool; in place of the id what is wrong)
--@include lib/open.lua
--@include lib/queue/filing.lua
--@include lib/queue/intake.lua
--@include lib/queue/ready.lua
--@include lib/requests.lua
local request, random, count = ARGV[2], ARGV[3], tonumber(ARGV[4])
if request ~= '' then
    local answer = request_answer(request)
    if answer then
        return cmsgpack.unpack(answer)
    end
end

local room = run_limit('max_queued_runs')
if room < math.huge then
    room = room - call('ZCARD', P .. 'queue') - call('ZCARD', P .. 'delayed')
end

-- Returns the id, and whether a head came to `ready`.
local function file(r)
    if r.delay == '' then
        local lane = lane_of(r.tags)
        local id = run_record(r, random, 'Queued', lane_fields(lane))
        return id, run_file(id, tonumber(r.priority), lane)
    end
    local due = num(now + tonumber(r.delay))
    local id = run_record(r, random, 'Queued', 'not_before', due)
    call('ZADD', P .. 'delayed', due, id)
    return id, false
end

local at, runs, never = 5, {}, {}
for i = 1, count do
    runs[i], at = run_argument(at)
end
if at < #ARGV then
    --@include lib/pools/room.lua
    for i = at, #ARGV, 4 do
        local step, pool, slots = unpack(ARGV, i + 1, i + 3)
        local limit = pool_limit[escape(pool)]
        if limit and limit > 0 and tonumber(slots) > limit then
            never[tonumber(ARGV[i])] = "step '" .. step .. "' asks " .. slots .. " slots of pool '" .. pool .. "' (limit "
                .. num(limit) .. '): it can never run'
        end
    end
end

local reply, admissible = {'OK'}, false
for i, r in ipairs(runs) do
    local same = r.key ~= '' and call('GET', P .. 'key:' .. r.key)
    if same then
        reply[#reply + 1], reply[#reply + 2] = 'EXISTS', same
    elseif never[i] then
        reply[#reply + 1], reply[#reply + 2] = 'NEVER', never[i]
    elseif room <= 0 then
        reply[#reply + 1], reply[#reply + 2] = 'FULL', ''
    else
        local id, is_head = file(r)
        room = room - 1
        admissible = admissible or is_head
        reply[#reply + 1], reply[#reply + 2] = 'NEW', id
    end
end
ids_keep()
if admissible then
    ring_if_admissible()
end
if request ~= '' then
    request_keep(request, cmsgpack.pack(reply))
end
return reply
