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

local function gate_enter(gate, id)
    call('ZADD', P .. 'gate:' .. gate, NOW, id)
end

local function gate_leave(gate, id)
    call('ZREM', P .. 'gate:' .. gate, id)
end
