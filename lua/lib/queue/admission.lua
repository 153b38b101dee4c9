-- admission: the best queued runs whose gates all have room become in progress.
--@include lib/queue/heads.lua
--@include lib/events.lua
--@include lib/queue/seldom.lua
local WORK = 100 -- heads parked or moved to other lanes in one call

-- What is admitted in one call, to be counted at its end: ids, and those of each gate.
local admitted, of_gate = {}, memo(function() return {} end)

-- by: dequeuer, launch_lease in ms, counted: {'capacity_of', dequeuer} where its capacity is limited, else {}
local function run_admit(id, lane, token, attempt, by)
    admitted[#admitted + 1] = id
    for _, gate in ipairs(gates_in[lane]) do
        usage_of[gate] = usage_of[gate] + 1
        table.insert(of_gate[gate], id)
    end
    local key = P .. 'lane:' .. lane
    call('ZREM', key, id)
    local heir = call('ZRANGE', key, '0', '0', 'WITHSCORES')
    head_next(lane, heir[1], heir[2])
    call('HSET', P .. 'run:' .. id, 'state', 'NotStarted', 'token', token, 'attempt', attempt, 'dequeued_at', NOW, 'dequeuer',
        by.dequeuer, unpack(by.counted))
    emit('RunDequeued', id, 'token', token, 'attempt', attempt, 'dequeuer', by.dequeuer)
end

local function add_all(key, score, ids)
    local members = {}
    for i, id in ipairs(ids) do
        members[2 * i - 1], members[2 * i] = score, id
    end
    call('ZADD', P .. key, unpack(members))
end

local function count_admitted(by)
    if #admitted == 0 then
        return
    end
    call('ZREM', P .. 'queue', unpack(admitted))
    add_all('running', num(now + by.launch_lease), admitted)
    if by.counted[1] then
        add_all('dequeuer:' .. by.dequeuer, NOW, admitted)
    end
    for gate, ids in pairs(of_gate) do
        add_all('gate:' .. gate, NOW, ids)
    end
end

-- Admits up to `room` runs and adds id, token, attempt of each to `reply`. While limits are followed (`phase`) a head is first
-- held against them.
local function admit_best(room, phase, by, reply)
    local token, work = call('HINCRBY', P .. 'meta', 'token', num(room)) - room, 0
    while #admitted < room and work < WORK do
        local best = call('ZPOPMIN', READY)
        local id, score = best[1], best[2]
        if not id then
            break
        end
        local f = call('HMGET', P .. 'run:' .. id, 'gates', 'attempt', 'unseen', 'state')
        local lane, known = f[1] or '', f[4]
        local moved = false
        if known and (phase or f[3]) then
            --@include lib/queue/lanes.lua
            moved = lane_change(id, lane, score)
        end
        local gate = known and not moved and full_gate(lane)
        if not known then
            seldom().forget('ready', id)
        elseif gate then
            parked_add(gate, id, score)
            hand_on(lane)
        elseif not moved then
            local at, attempt = #reply, num((tonumber(f[2]) or 0) + 1)
            reply[at + 1], reply[at + 2], reply[at + 3] = id, num(token + #admitted + 1), attempt
            run_admit(id, lane, reply[at + 2], attempt, by)
        end
        work = work + ((not known or moved or gate) and 1 or 0)
    end
    count_admitted(by)
end
