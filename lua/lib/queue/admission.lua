-- admission: the best queued runs whose gates all have room become in progress.
--@include lib/queue/heads.lua
--@include lib/events.lua
--@include lib/queue/seldom.lua
local WORK = 100 -- heads parked or moved to other lanes in one call

-- What is admitted in one call, counted at its end: ids, and score, id, ... for each of the sets that count them.
local admitted, count_in = {}, memo(function() return {} end)

local function count_later(key, score, id)
    local members = count_in[key]
    local n = #members
    members[n + 1], members[n + 2] = score, id
end

local function count_admitted()
    if #admitted > 0 then
        call('ZREM', P .. 'queue', unpack(admitted))
        for key, members in pairs(count_in) do
            call('ZADD', P .. key, unpack(members))
        end
    end
end

-- by: dequeuer, expiry of the launch lease, counted: {'capacity_of', dequeuer} where its capacity is limited, else {}
local function run_admit(id, lane, token, attempt, by)
    admitted[#admitted + 1] = id
    count_later('running', by.expiry, id)
    if by.counted[1] then
        count_later('dequeuer:' .. by.dequeuer, NOW, id)
    end
    for _, gate in ipairs(gates_in[lane]) do
        usage_of[gate] = usage_of[gate] + 1
        count_later('gate:' .. gate, NOW, id)
    end
    local key = P .. 'lane:' .. lane
    call('ZREM', key, id)
    local heir = call('ZRANGE', key, '0', '0', 'WITHSCORES')
    head_next(lane, heir[1], heir[2])
    call('HSET', P .. 'run:' .. id, 'state', 'NotStarted', 'token', token, 'attempt', attempt, 'dequeued_at', NOW, 'dequeuer',
        by.dequeuer, unpack(by.counted))
    emit('RunDequeued', id, 'token', token, 'attempt', attempt, 'dequeuer', by.dequeuer)
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
        local f = call('HMGET', P .. 'run:' .. id, 'gates', 'attempt', 'unseen')
        local lane, known = f[1] or '', f[1] or call('HGET', P .. 'run:' .. id, 'state')
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
            local at, attempt = #reply, f[2] and num((tonumber(f[2]) or 0) + 1) or '1'
            reply[at + 1], reply[at + 2], reply[at + 3] = id, num(token + #admitted + 1), attempt
            run_admit(id, lane, reply[at + 2], attempt, by)
        end
        work = work + ((not known or moved or gate) and 1 or 0)
    end
    count_admitted()
end
