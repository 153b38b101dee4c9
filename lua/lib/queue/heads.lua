-- heads: the head of a lane is in `ready`, or parked on one gate that was full when it was tried; `parked` names the gates that
-- have parked heads.
-- What must hold: while a gate has room and heads are parked on it, `ready` holds a better head that passes the same gate.
-- So a head that leaves `ready` hands on: the best head parked on each of its gates that has room takes its place.
--@include lib/queue/wake.lua
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

-- A run becomes the head of its lane, before `old` if there is one. Returns whether it came to `ready`.
local function head_come(lane, id, score, old)
    local full
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

-- The lane has another head, `heir`, if it is not empty.
local function head_next(lane, heir, score)
    if heir then
        call('ZADD', READY, score, heir)
    end
    hand_on(lane)
end

-- The head has left its lane; `heir` is the head from now on, nil when the lane is empty.
local function head_go(lane, id, heir, score)
    if call('ZREM', READY, id) == 0 then
        local gate = call('HGET', P .. 'run:' .. id, 'parked')
        if gate then
            if heir then
                parked_add(gate, heir, score)
            end
            return parked_drop(gate, id)
        end
    end
    head_next(lane, heir, score)
end
