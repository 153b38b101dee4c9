-- phases: what refile does in each phase, a slice at a time.
--@include lib/queue/heads.lua
--@include lib/queue/lanes.lua
--@include lib/slices.lua
local SLICE = 10

local function names_of(flat)
    local names = {}
    for i = 1, #flat, 2 do
        names[#names + 1] = flat[i]
    end
    table.sort(names)
    return table.concat(names, '\n')
end

local function recount(id)
    local run = P .. 'run:' .. id
    local old, new = call('HGET', run, 'gates') or '', lane_of_run(id)
    if old == new then
        return
    end
    for _, gate in ipairs(gates_in[old]) do
        gate_leave(gate, id)
    end
    for _, gate in ipairs(gates_in[new]) do
        gate_enter(gate, id)
    end
    call('HSET', run, 'gates', new)
end

local PHASES = {
    count = {next = 'wake_file', slice = function(cursor)
        return each_slice(P .. 'running', cursor, SLICE, recount)
    end},
    wake = {next = false, slice = function(cursor)
        local from = cursor == '0' and '-' or '(' .. cursor
        local gates = call('ZRANGEBYLEX', P .. 'parked', from, '+', 'LIMIT', '0', SLICE)
        for _, gate in ipairs(gates) do
            wake(gate)
        end
        return #gates == SLICE and gates[SLICE] or '0'
    end},
    file = {next = false, slice = function(cursor)
        return each_slice(P .. 'queue', cursor, SLICE, function(id, score)
            lane_change(id, call('HGET', P .. 'run:' .. id, 'gates') or '', score)
        end)
    end},
}
PHASES.wake_file = {next = 'file', slice = PHASES.wake.slice}
