-- refile: follows a change of `tag_limits`, however it was made, in slices; the hash `refile` remembers how far it came.
--
--   numbers changed             wake: every gate with parked heads and room gets a candidate           then done
--   limits added or removed     count: in-progress runs enter and leave gates ─> wake_file: as wake ─> file: queued
--                               runs move to their new lanes                                           then done
--
-- During count and wake nothing is admitted, and during file the head of a lane only after its gates were compared with the
-- limits (refile_head): so the new limits hold exactly from the first admission on. A run that was filed while the limits
-- were others for a moment, between two looks, says so (`unseen`) and is compared as well.
--@include lib/lanes.lua
local SLICE = 50

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
    local old, new = call('HGET', run, 'gates') or '', lane_of(tags_of(id))
    if old == new then
        return
    end
    for _, gate in ipairs(gates_in(old)) do
        gate_leave(gate, id)
    end
    for _, gate in ipairs(gates_in(new)) do
        gate_enter(gate, id)
    end
    call('HSET', run, 'gates', new)
end

-- Moves a queued run to the lane of its gates. Returns whether it stood in another one.
local function refile_head(id, lane, score)
    local new = lane_of(tags_of(id))
    if new == lane then
        return false
    end
    lane_drop(lane, id)
    call('HSET', P .. 'run:' .. id, 'gates', new)
    lane_put(new, id, score)
    return true
end

-- One slice of a sorted set, each member once: returns the next cursor, '0' at the end.
local function each_slice(key, cursor, visit)
    local answer = call('ZSCAN', key, cursor, 'COUNT', SLICE)
    for i = 1, #answer[2], 2 do
        visit(answer[2][i], answer[2][i + 1])
    end
    return answer[1]
end

local PHASES = {
    count = {next = 'wake_file', slice = function(cursor)
        return each_slice(P .. 'running', cursor, recount)
    end},
    wake = {next = false, slice = function(cursor)
        local from = cursor == '0' and '-' or '(' .. cursor
        local gates = call('ZRANGEBYLEX', P .. 'parked', from, '+', 'LIMIT', 0, SLICE)
        for _, gate in ipairs(gates) do
            wake(gate)
        end
        return #gates == SLICE and gates[SLICE] or '0'
    end},
    file = {next = false, slice = function(cursor)
        return each_slice(P .. 'queue', cursor, function(id, score)
            refile_head(id, call('HGET', P .. 'run:' .. id, 'gates') or '', score)
        end)
    end},
}
PHASES.wake_file = {next = 'file', slice = PHASES.wake.slice}

-- One slice of what is to be done. Returns the phase that remains, or false.
local function refile()
    if not limits_flat then
        limits_load()
    end
    followed = true
    local state = call('HMGET', P .. 'refile', 'seen', 'phase', 'cursor')
    local seen, phase, cursor = state[1] or '', state[2], state[3]
    local text = table.concat(limits_flat, '\n')
    if seen ~= text then
        local names = names_of(limits_flat)
        local same = (call('HGET', P .. 'refile', 'names') or '') == names
        phase, cursor = (same and (not phase or phase == 'wake')) and 'wake' or 'count', '0'
        call('HSET', P .. 'refile', 'seen', text, 'names', names, 'phase', phase, 'cursor', cursor)
    end
    if not phase then
        return false
    end
    cursor = PHASES[phase].slice(cursor)
    if cursor == '0' then
        phase = PHASES[phase].next
    end
    if phase then
        call('HSET', P .. 'refile', 'phase', phase, 'cursor', cursor)
    else
        call('HDEL', P .. 'refile', 'phase', 'cursor')
    end
    return phase
end
