-- serve: what is free is given to those who wait for it. What the keys hold: pools.lua.
--@include lib/pools/line.lua
--@include lib/pools/grant_shape.lua
--@include lib/history.lua
--@include lib/bell.lua
local LOOKS = 500 -- heads of shapes looked at in one call
local GRANTS = 50 -- grants to waiters in one call

-- Tells the process of a claim that something changed; the bell of one that is gone vanishes.
local function ring_claimant(claim)
    local key = P .. 'wake:' .. run_and_step(claim)
    ring(key)
    call('PEXPIRE', key, '600000')
end

-- Pools with slots to give: those that one call was too short for, and of these others the ones that somebody waits for.
-- A second value says whether there are any of the first.
local function pools_due(pools)
    local due = call('SMEMBERS', P .. 'pools_due')
    local is_left, known = #due > 0, {}
    for _, pool in ipairs(due) do
        known[pool] = true
    end
    for _, pool in ipairs(pools) do
        if not known[pool] and call('EXISTS', P .. 'pool:' .. pool .. ':shapes') == 1 then
            known[pool], due[#due + 1] = true, pool
        end
    end
    return due, is_left
end

-- The next head of a line, false when nobody is left who could come in.
local function next_head(line)
    local heads = line.heads
    if not heads or (line.i > #heads and #heads == AHEAD) then
        heads = pool_room(line.pool) > 0 and (line.at == 0 and ahead_in[line.pool] or heads_of(line.pool, line.at, AHEAD)) or {}
        line.heads, line.i = heads, 1
    end
    return heads[line.i]
end

-- The line whose next head is the best of all, and that head.
local function best_line(lines)
    local best, best_head
    for _, line in ipairs(lines) do
        local head = next_head(line)
        if head and (not best or is_before(head, best_head.priority, best_head.arrival)) then
            best, best_head = line, head
        end
    end
    return best, best_head
end

-- Whether some pool has not enough free slots for a claim of this shape; most are found by what is free alone.
local function is_blocked(shape, priority, arrival)
    for _, part in ipairs(parts_of[shape]) do
        if part[2] > pool_room(part[1]) then
            return true
        end
    end
    return #shape_blocked(shape, priority, arrival) > 0
end

-- Lets the first waiter of a shape in when what it asks is free. One that asks nothing limited any more is told, and comes
-- in when it asks again: there is nothing to record until then. Returns whether the line moved on.
local function let_in(head)
    local shape = head.shape
    if is_blocked(shape, head.priority, head.arrival) then
        return false
    end
    --@include lib/pools/waiters.lua
    local member = first_member(shape)
    if not member then
        shape_forget(line_member(head.arrival, shape))
        return true
    end
    local claim = line_name(member)
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'since', 'passed_at')
    if not f[1] then
        first_waiter_forget(shape, member)
        return true
    end
    ring_claimant(claim)
    if not is_limited(shape) then
        return false
    end
    mark_passed(shape, head.priority, head.arrival)
    line_leave(shape, member, tonumber(f[3]), member)
    grant_shape(claim, f[1], shape, tonumber(f[2]), PATIENCE)
    return true
end

-- Best first over all these lines. Returns whether all was given that could be.
local function let_in_best(lines)
    local grants = 0
    for _ = 1, LOOKS do
        local line, head = best_line(lines)
        if not line then
            return true
        elseif grants == GRANTS then
            return false
        elseif let_in(head) then
            grants = grants + 1
            for _, other in ipairs(lines) do
                other.heads = nil
            end
        else
            line.at, line.i = line.at + 1, line.i + 1
        end
    end
    return true
end

-- Grants what is free in these pools, and in those that are due, to those who wait.
local function serve(freed)
    local due, is_left = pools_due(freed)
    local lines = {}
    for i, pool in ipairs(due) do
        lines[i] = {pool = pool, at = 0}
    end
    if #due == 0 then
        return
    elseif is_paused() or not let_in_best(lines) then
        call('SADD', P .. 'pools_due', unpack(due))
    elseif is_left then
        call('DEL', P .. 'pools_due')
    end
end

-- What was given back of a shape is for those who wait for it.
local function give_on(shape)
    local freed = {}
    for i, part in ipairs(parts_of[shape]) do
        freed[i] = part[1]
    end
    serve(freed)
end
