#!lua
-- Admits the best queued runs whose gates all have room; before that, follows changed limits, ends what lost its lease,
-- serves pools, files delayed runs that are due and trims the history, each a bounded piece a call.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] request `<client>:<seq>`, '' for none; [3] dequeuer id; [4] most runs to admit; [5] capacity: the most
--       runs of this dequeuer in progress, '' unlimited; [6] launch lease ms; [7] run lease ms; [8] dequeue interval ms;
--       [9] retention ms; [10] retention runs; [11] the highest token that this dequeuer has seen
-- RETURNS {'OK', more, id, token, attempt, id, token, attempt, ...}; more = '0': nothing is left to do;
--         '1': call again; 'FULL': more could be admitted, but the capacity of this dequeuer is used up
--@include lib/open.lua
--@include lib/requests.lua
--@include lib/refile.lua
--@include lib/upkeep.lua
--@include lib/history.lua
local request, dequeuer, batch, capacity = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local launch_lease, run_lease, interval = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local WORK = 100 -- heads parked or refiled in one call

local kept = request ~= '' and request_answer(request)
if kept then
    local reply = {'OK', '1'}
    for id, token, attempt in kept:gmatch('(%S+) (%S+) (%S+)') do
        local f = call('HMGET', P .. 'run:' .. id, 'state', 'token')
        if f[1] == 'NotStarted' and f[2] == token then
            reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = id, token, attempt
        end
    end
    return reply
end

history_seen(tonumber(ARGV[11]), run_lease)
local phase = refile()
local more = sweep(run_lease, interval)
more = pools() or more
more = promote() or more
more = trim(tonumber(ARGV[9]), tonumber(ARGV[10])) or more

if capacity then
    batch = math.min(batch, capacity - call('ZCARD', P .. 'dequeuer:' .. dequeuer))
end
local room, reply, work, token = 0, {'OK', '0'}, 0, nil
if (not phase or phase == 'file') and not is_paused() then
    room = math.min(batch, global_room())
end
if room > 0 and call('EXISTS', READY) == 1 then
    token = call('HINCRBY', P .. 'meta', 'token', num(room)) - room
end

local function admit(id, lane, attempt)
    local run = P .. 'run:' .. id
    token, attempt = token + 1, num((tonumber(attempt) or 0) + 1)
    local holder = num(token)
    call('ZREM', P .. 'queue', id)
    call('ZADD', P .. 'running', num(now + launch_lease), id)
    for _, gate in ipairs(gates_in(lane)) do
        gate_enter(gate, id)
    end
    lane_drop(lane, id)
    call('HSET', run, 'state', 'NotStarted', 'token', holder, 'attempt', attempt, 'dequeued_at', num(now),
        'dequeuer', dequeuer)
    if capacity then
        call('HSET', run, 'capacity_of', dequeuer)
        call('ZADD', P .. 'dequeuer:' .. dequeuer, num(now), id)
    end
    emit('RunDequeued', id, 'token', holder, 'attempt', attempt, 'dequeuer', dequeuer)
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = id, holder, attempt
end

while room > 0 and work < WORK do
    local best = call('ZRANGE', READY, 0, 0, 'WITHSCORES')
    local id, score = best[1], best[2]
    if not id then
        break
    end
    local f = call('HMGET', P .. 'run:' .. id, 'gates', 'attempt', 'unseen', 'state')
    local lane, known = f[1] or '', f[4]
    local refiled = known and (phase or f[3]) and refile_head(id, lane, score)
    local gate = known and not refiled and full_gate(lane)
    if not known then
        run_forget('ready', id)
    elseif gate then
        park(lane, id, score, gate)
    elseif not refiled then
        admit(id, lane, f[2])
        room = room - 1
    end
    work = work + ((not known or refiled or gate) and 1 or 0)
end

if phase or more or (call('EXISTS', READY) == 1 and global_room() > 0 and not is_paused()) then
    local full = capacity and call('ZCARD', P .. 'dequeuer:' .. dequeuer) >= capacity
    reply[2] = (full and not phase and not more) and 'FULL' or '1'
    ring(P .. 'bell')
end
if request ~= '' and #reply > 2 then
    request_keep(request, table.concat(reply, ' ', 3))
end
return reply
