-- gates: which in-progress runs count against which gate: the set `gate:<name>`. What makes gates: tags.lua.
--@include lib/memo.lua
-- The gates of a lane.
local gates_in = memo(function(lane)
    local gates = {}
    for gate in lane:gmatch('[^,]+') do
        gates[#gates + 1] = gate
    end
    return gates
end)

local usage_of = memo(function(gate)
    return call('ZCARD', P .. 'gate:' .. gate)
end)

local function gate_enter(gate, id)
    local added = call('ZADD', P .. 'gate:' .. gate, NOW, id)
    usage_of[gate] = rawget(usage_of, gate) and usage_of[gate] + added
end

local function gate_leave(gate, id)
    local removed = call('ZREM', P .. 'gate:' .. gate, id)
    usage_of[gate] = rawget(usage_of, gate) and usage_of[gate] - removed
end
