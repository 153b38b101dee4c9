-- lanes: queued runs, filed by the gates they must pass. The head of a lane is in `ready`, or parked on one gate that was
-- full when it was tried; `parked` names the gates that have parked heads.
-- What must hold: while a gate has room and heads are parked on it, `ready` holds a better head that passes the same gate.
-- So a head that leaves `ready` hands on: the best head parked on each of its gates that has room takes its place.
--@include lib/wake.lua
local function full_gate(lane)
    for _, gate in ipairs(gates_in[lane]) do
        if not may_pass(gate) then
            return gate
        end
    end
end

local function parked_add(gate, id, score)
    any_parked = true
    call('ZADD', P .. 'parked:' .. gate, score, id)
    call('ZADD', P .. 'parked', '0', gate)
    call('HSET', P .. 'run:' .. id, 'parked', gate)
end

local function hand_on(lane)
    for _, gate in ipairs(gates_in[lane]) do
        wake(gate)
    end
end

-- Files a run. Returns whether a head came to `ready`.
local function lane_put(lane, id, score)
    local key = P .. 'lane:' .. lane
    call('ZADD', key, score, id)
    local top = call('ZRANGE', key, '0', '1')
    if top[1] ~= id then
        return false
    end
    local old, full = top[2], nil
    if not old then
        full = full_gate(lane)
    elseif call('ZREM', READY, old) == 0 then
        local gate = call('HGET', P .. 'run:' .. old, 'parked')
        if gate then
            parked_drop(gate, old)
            full = not may_pass(gate) and gate
        end
    end
    if full then
        parked_add(full, id, score)
        return false
    end
    call('ZADD', READY, score, id)
    return true
end

-- Takes a run out of its lane; when it was the head, the next one takes its place.
local function lane_drop(lane, id)
    local key = P .. 'lane:' .. lane
    local top = call('ZRANGE', key, '0', '1', 'WITHSCORES')
    call('ZREM', key, id)
    if top[1] ~= id then
        return
    end
    local place = READY
    if call('ZREM', READY, id) == 0 then
        local gate = call('HGET', P .. 'run:' .. id, 'parked')
        if gate then
            if top[3] then
                parked_add(gate, top[3], top[4])
            end
            parked_drop(gate, id)
            return
        end
    end
    if top[3] then
        call('ZADD', place, top[4], top[3])
    end
    hand_on(lane)
end

local function park(lane, id, score, gate)
    call('ZREM', READY, id)
    parked_add(gate, id, score)
    hand_on(lane)
end

-- Moves a queued run to the lane of its gates as the limits make them. Returns whether it stood in another one.
local function lane_change(id, lane, score)
    local new = lane_of(tags_of(id))
    if new == lane then
        return false
    end
    lane_drop(lane, id)
    call('HSET', P .. 'run:' .. id, 'gates', new)
    lane_put(new, id, score)
    return true
end
