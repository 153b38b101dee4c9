-- line: the waiting lines of pools, and for whom slots are kept. What the keys hold: pools.lua.
--@include lib/pools/members.lua
--@include lib/pools/shapes.lua
--@include lib/pools/bypass.lua
--@include lib/pools/full.lua
-- The shapes that wait for a pool, from the at-th on: {{shape, priority, arrival}, ...}
local function heads_of(pool, at, count)
    local flat, heads = call('ZRANGE', P .. 'pool:' .. pool .. ':shapes', num(at), num(at + count - 1), 'WITHSCORES'), {}
    for i = 1, #flat, 2 do
        heads[#heads + 1] = {shape = line_name(flat[i]), priority = -flat[i + 1], arrival = tonumber(flat[i]:sub(1, 15))}
    end
    return heads
end

local function is_before(head, priority, arrival)
    return head.priority > priority or (head.priority == priority and head.arrival < arrival)
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

-- The heads of a line that are protected.
local function read_ahead(pool)
    return heads_of(pool, 0, AHEAD)
end
local ahead_in = memo(read_ahead)

-- To be called when a line has changed.
local function ahead_forget()
    ahead_in = memo(read_ahead)
end

-- When the first waiter of a head was passed first, false when it was not. Where the waiters of a shape were deleted by hand,
-- nothing is kept for them; who serves the line takes it out.
local function passed_at(head)
    if not head.claim then
        head.claim = first_waiter(head.shape) or ''
        head.passed_at = tonumber(call('HGET', P .. 'wait:' .. head.claim, 'passed_at')) or false
    end
    return head.passed_at
end

-- Slots of a pool that are kept for those before a claim that were passed for too long: as many as the biggest of them asks,
-- then a grant or a new head frees nothing that was kept before. One that the limits do not let in keeps nothing.
local function kept_slots(pool, priority, arrival)
    local kept, bypass = 0, nil
    for _, head in ipairs(ahead_in[pool]) do
        if not is_before(head, priority, arrival) then
            break
        end
        local passed = passed_at(head)
        bypass = bypass or (passed and pool_bypass(pool))
        if passed and now >= passed + bypass and is_possible(head.shape) then
            for _, part in ipairs(parts_of[head.shape]) do
                kept = part[1] == pool and math.max(kept, part[2]) or kept
            end
        end
    end
    return kept
end

local function is_kept(pool, weight, priority, arrival)
    local room = pool_room(pool)
    return room < math.huge and weight > room - kept_slots(pool, priority, arrival)
end

-- The pools that have not enough free slots for a claim of this shape; none: it can be granted.
local function shape_blocked(shape, priority, arrival)
    local blocked = {}
    for _, part in ipairs(parts_of[shape]) do
        local pool, weight = part[1], part[2]
        if weight > pool_room(pool) or is_kept(pool, weight, priority, arrival) then
            blocked[#blocked + 1] = pool
        end
    end
    return blocked
end

local function blocked_text(blocked)
    local full = {}
    for i, pool in ipairs(blocked) do
        full[i] = {unescape(pool), pool_used(pool), pool_limit[pool]}
    end
    return full_text(full)
end

-- Why a claim waits; nil when it does not.
local function wait_reason(claim)
    local f = call('HMGET', P .. 'wait:' .. claim, 'shape', 'priority', 'arrival')
    return f[1] and blocked_text(shape_blocked(f[1], tonumber(f[2]), tonumber(f[3])))
end

-- The heads ahead of a claim that is granted are passed by it: their patience runs from the first time on.
local function mark_passed(shape, priority, arrival)
    local is_first = false
    for _, part in ipairs(parts_of[shape]) do
        for _, head in ipairs(pool_is_limited(part[1]) and ahead_in[part[1]] or {}) do
            if not is_before(head, priority, arrival) then
                break
            elseif not passed_at(head) and head.claim ~= '' then
                call('HSETNX', P .. 'wait:' .. head.claim, 'passed_at', NOW)
                is_first = true
            end
        end
    end
    if is_first then
        ahead_forget()
    end
end
