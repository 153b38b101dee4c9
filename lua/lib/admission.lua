-- admission: the best queued runs whose gates all have room become in progress.
--@include lib/lanes.lua
--@include lib/events.lua
local WORK = 100 -- heads parked or moved to other lanes in one call

-- by: dequeuer, launch_lease in ms, counted: {'capacity_of', dequeuer} where its capacity is limited, else {}
local function run_admit(id, lane, token, attempt, by)
    local run = P .. 'run:' .. id
    call('ZREM', P .. 'queue', id)
    call('ZADD', P .. 'running', num(now + by.launch_lease), id)
    for _, gate in ipairs(gates_in[lane]) do
        gate_enter(gate, id)
    end
    lane_drop(lane, id)
    call('HSET', run, 'state', 'NotStarted', 'token', token, 'attempt', attempt, 'dequeued_at', NOW, 'dequeuer',
        by.dequeuer, unpack(by.counted))
    if by.counted[1] then
        call('ZADD', P .. 'dequeuer:' .. by.dequeuer, NOW, id)
    end
    emit('RunDequeued', id, 'token', token, 'attempt', attempt, 'dequeuer', by.dequeuer)
end

-- Admits up to `room` runs and adds id, token, attempt of each to `reply`. While limits are followed (`phase`) a head is first
-- held against them.
local function admit_best(room, phase, by, reply)
    local token, work = call('HINCRBY', P .. 'meta', 'token', num(room)) - room, 0
    while room > 0 and work < WORK do
        local best = call('ZRANGE', READY, '0', '0', 'WITHSCORES')
        local id, score = best[1], best[2]
        if not id then
            return
        end
        local f = call('HMGET', P .. 'run:' .. id, 'gates', 'attempt', 'unseen', 'state')
        local lane, known = f[1] or '', f[4]
        local moved = known and (phase or f[3]) and lane_change(id, lane, score)
        local gate = known and not moved and full_gate(lane)
        if not known then
            --@include lib/runs.lua
            run_forget('ready', id)
        elseif gate then
            park(lane, id, score, gate)
        elseif not moved then
            local attempt = num((tonumber(f[2]) or 0) + 1)
            token, room = token + 1, room - 1
            run_admit(id, lane, num(token), attempt, by)
            reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = id, num(token), attempt
        end
        work = work + ((not known or moved or gate) and 1 or 0)
    end
end
