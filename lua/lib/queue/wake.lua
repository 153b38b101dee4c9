-- wake: a gate that has room lets the best head that is parked on it be tried. What is parked: heads.lua.
--@include lib/queue/room.lua
--@include lib/queue/ready.lua

-- Heads are kept back only under limits that `admit` has followed. One that was set since then may be gone before `admit`
-- looks, and nothing would wake the heads it had kept back: they are left to be tried.
local function may_pass(gate)
    return not limits_are_followed() or room_of(gate) > 0
end

local function parked_drop(gate, id)
    call('ZREM', P .. 'parked:' .. gate, id)
    call('HDEL', P .. 'run:' .. id, 'parked')
    if call('EXISTS', P .. 'parked:' .. gate) == 0 then
        call('ZREM', P .. 'parked', gate)
    end
end

-- Moves the best head parked on the gate to `ready` when it may pass.
local function wake(gate)
    if call('EXISTS', P .. 'parked:' .. gate) == 1 and may_pass(gate) then
        local best = call('ZRANGE', P .. 'parked:' .. gate, '0', '0', 'WITHSCORES')
        parked_drop(gate, best[1])
        call('ZADD', READY, best[2], best[1])
    end
end

local any_parked -- nil: nobody has looked
-- Wakes whom each gate of the lane lets in.
local function hand_on(lane)
    if any_parked == nil then
        any_parked = call('EXISTS', P .. 'parked') == 1
    end
    if any_parked then
        for _, gate in ipairs(gates_in[lane]) do
            wake(gate)
        end
    end
end
