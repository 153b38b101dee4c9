-- line: the waiting lines of pools, and for whom slots are kept. What the keys hold: pools.lua.
--@include lib/shapes.lua
--@include lib/drift.lua
--@include lib/grace.lua
--@include lib/history.lua
local AHEAD = 16 -- shapes at the head of a line that are protected from being passed for ever

local function line_member(arrival, name)
    return string.format('%015.0f %s', arrival, name)
end

local function line_name(member)
    return member:sub(17)
end

-- The shapes that wait for a pool, from the at-th on: {{shape, priority, arrival}, ...}
local function heads_of(pool, at, count)
    local flat, heads = call('ZRANGE', P .. 'pool:' .. pool .. ':shapes', at, at + count - 1, 'WITHSCORES'), {}
    for i = 1, #flat, 2 do
        heads[#heads + 1] = {shape = line_name(flat[i]), priority = -flat[i + 1], arrival = tonumber(flat[i]:sub(1, 15))}
    end
    return heads
end

local function is_before(head, priority, arrival)
    return head.priority > priority or (head.priority == priority and head.arrival < arrival)
end

local function first_waiter(shape)
    local member = call('ZRANGE', P .. 'shape:' .. shape, '0', '0')[1]
    return member and line_name(member)
end

-- Whether the limits of this moment would ever let a shape in.
local function is_possible(shape)
    for _, part in ipairs(parts_of[shape]) do
        if part[2] > (pool_limit[part[1]] or math.huge) then
            return false
        end
    end
    return true
end

-- Those in the line of a pool that were passed for too long: slots are kept for them, from all behind them. One that the
-- limits do not let in keeps nothing.
local function passed_too_long(pool)
    local bypass, passed = pool_bypass(pool), {}
    for _, head in ipairs(heads_of(pool, 0, AHEAD)) do
        local passed_at = call('HGET', P .. 'wait:' .. first_waiter(head.shape), 'passed_at')
        if passed_at and now >= passed_at + bypass and is_possible(head.shape) then
            passed[#passed + 1] = head
        end
    end
    return passed
end
local passed_memo = memo(passed_too_long)

-- To be called when a line has changed.
local function passed_forget()
    passed_memo = memo(passed_too_long)
end

-- As many as the biggest of them asks: then a grant or a new head frees nothing that was kept before.
local function kept_slots(pool, priority, arrival)
    local kept = 0
    for _, head in ipairs(passed_memo[pool]) do
        for _, part in ipairs(is_before(head, priority, arrival) and parts_of[head.shape] or {}) do
            kept = part[1] == pool and math.max(kept, part[2]) or kept
        end
    end
    return kept
end

-- The pools that have not enough free slots for a claim of this shape; none: it can be granted.
local function shape_blocked(shape, priority, arrival)
    local blocked = {}
    for _, part in ipairs(parts_of[shape]) do
        local pool, weight = part[1], part[2]
        local room = pool_room(pool)
        if weight > room or (room < math.huge and weight > room - kept_slots(pool, priority, arrival)) then
            blocked[#blocked + 1] = pool
        end
    end
    return blocked
end

-- Whether a claim that stands or would stand here comes in now.
local function may_enter(shape, priority, arrival)
    if is_paused() then
        return false
    end
    for _, part in ipairs(parts_of[shape]) do
        if pool_is_limited(part[1]) and call('SISMEMBER', P .. 'pools_due', part[1]) == 1 then
            return false
        end
    end
    return #shape_blocked(shape, priority, arrival) == 0
end

local function blocked_text(blocked)
    local words = {}
    for i, pool in ipairs(blocked) do
        local full = #blocked == 1 and 'full ' or ''
        words[i] = string.format("'%s' %s(%.0f/%.0f)", unescape(pool), full, pool_used[pool], pool_limit[pool])
    end
    return (#words > 1 and 'pools full: ' or #words == 1 and 'pool ' or '') .. table.concat(words, ', ')
end

-- Why a claim waits; nil when it does not.
local function wait_reason(claim)
    local f = call('HMGET', P .. 'wait:' .. claim, 'shape', 'priority', 'arrival')
    return f[1] and blocked_text(shape_blocked(f[1], tonumber(f[2]), tonumber(f[3])))
end

-- The heads ahead of a claim that is granted are passed by it: their patience runs from the first time on.
local function mark_passed(shape, priority, arrival)
    for _, part in ipairs(parts_of[shape]) do
        for _, head in ipairs(pool_is_limited(part[1]) and heads_of(part[1], 0, AHEAD) or {}) do
            if not is_before(head, priority, arrival) then
                break
            end
            call('HSETNX', P .. 'wait:' .. first_waiter(head.shape), 'passed_at', NOW)
        end
    end
    passed_forget()
end

-- Changes the line of a shape, and the place of the shape in the lines of its pools with it.
local function shape_line(shape, command, ...)
    local key = P .. 'shape:' .. shape
    local old = call('ZRANGE', key, '0', '0')[1]
    call(command, key, ...)
    local new = call('ZRANGE', key, '0', '0', 'WITHSCORES')
    for _, part in ipairs(new[1] ~= old and parts_of[shape] or {}) do
        local line = P .. 'pool:' .. part[1] .. ':shapes'
        if old then
            call('ZREM', line, old:sub(1, 16) .. shape)
        end
        if new[1] then
            call('ZADD', line, new[2], new[1]:sub(1, 16) .. shape)
        end
    end
    passed_forget()
end

-- One that comes before the head of its shape keeps what was kept for that.
local function waiter_add(claim, attempt, shape, priority, arrival)
    local member, run, step = line_member(arrival, claim), run_and_step(claim)
    local before = first_waiter(shape)
    shape_line(shape, 'ZADD', 0 - priority, member)
    for _, part in ipairs(parts_of[shape]) do
        call('ZADD', P .. 'pool:' .. part[1] .. ':waiters', 0 - priority, member)
    end
    call('HSET', P .. 'wait:' .. claim, 'attempt', attempt, 'shape', shape, 'priority', num(priority), 'arrival',
        num(arrival), 'since', NOW)
    local passed_at = before and first_waiter(shape) == claim and call('HGET', P .. 'wait:' .. before, 'passed_at')
    if passed_at then
        call('HSET', P .. 'wait:' .. claim, 'passed_at', passed_at)
    end
    call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
    call('HSET', P .. 'slots:' .. run, step, 'waits')
end

-- Who waits behind in the same shape was passed by the same claims, as long as it was there.
local function passed_inherit(shape, passed_at)
    local heir = passed_at and first_waiter(shape)
    local since = heir and tonumber(call('HGET', P .. 'wait:' .. heir, 'since'))
    if since then
        call('HSETNX', P .. 'wait:' .. heir, 'passed_at', num(math.max(since, passed_at)))
    end
end

-- Takes a member out of all lines of its shape. Returns the run and the step.
local function line_leave(shape, member)
    local claim = line_name(member)
    local run, step = run_and_step(claim)
    shape_line(shape, 'ZREM', member)
    for _, part in ipairs(parts_of[shape]) do
        call('ZREM', P .. 'pool:' .. part[1] .. ':waiters', member)
    end
    call('DEL', P .. 'wait:' .. claim)
    call('ZREM', P .. 'waiters', claim)
    call('HDEL', P .. 'slots:' .. run, step)
    return run, step
end

local function waiter_drop(claim)
    local f = call('HMGET', P .. 'wait:' .. claim, 'shape', 'arrival', 'passed_at')
    line_leave(f[1], line_member(f[2], claim))
    passed_inherit(f[1], tonumber(f[3]))
end

-- The first waiter of a shape has no record.
local function first_waiter_forget(shape)
    local run, step = line_leave(shape, call('ZRANGE', P .. 'shape:' .. shape, '0', '0')[1])
    drift('shape:' .. shape, run, 'step', step)
end
