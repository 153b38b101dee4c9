-- waiters: who joins the lines of its pools, and who leaves them.
--@include lib/pools/line.lua
--@include lib/pools/claims.lua
--@include lib/drift.lua
--@include lib/pools/due.lua
-- What was followed of a pool matters as long as somebody waits for it.
local function seen_forget(pool)
    if call('EXISTS', P .. 'pool:' .. pool .. ':shapes') == 0 then
        call('HDEL', P .. 'pools_seen', pool)
    end
end

-- Changes the line of a shape, and the place of the shape in the lines of its pools. old: its first member. Returns who is
-- first now.
local function shape_line(shape, old, command, ...)
    local key = P .. 'shape:' .. shape
    call(command, key, ...)
    local new = call('ZRANGE', key, '0', '0', 'WITHSCORES')
    for _, part in ipairs(new[1] ~= old and parts_of[shape] or {}) do
        local line = P .. 'pool:' .. part[1] .. ':shapes'
        if old then
            call('ZREM', line, old:sub(1, 16) .. shape)
        end
        if new[1] then
            call('ZADD', line, new[2], new[1]:sub(1, 16) .. shape)
        else
            seen_forget(part[1])
        end
    end
    ahead_forget()
    return new[1] and line_name(new[1])
end

-- One that comes before the head of its shape keeps what was kept for that.
local function waiter_add(claim, attempt, shape, priority, arrival)
    local member, run, step = line_member(arrival, claim), run_and_step(claim)
    local score, before = num(0 - priority), first_member(shape)
    local first = shape_line(shape, before, 'ZADD', score, member)
    for _, part in ipairs(parts_of[shape]) do
        call('ZADD', P .. 'pool:' .. part[1] .. ':waiters', score, member)
        call('HSET', P .. 'pools_seen', part[1], call('HGET', P .. 'pool_limits', unescape(part[1])) or '')
    end
    call('HSET', P .. 'wait:' .. claim, 'attempt', attempt, 'shape', shape, 'priority', num(priority), 'arrival',
        num(arrival), 'since', NOW)
    local passed_at = before and first == claim and call('HGET', P .. 'wait:' .. line_name(before), 'passed_at')
    if passed_at then
        call('HSET', P .. 'wait:' .. claim, 'passed_at', passed_at)
    end
    call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
    call('HSET', P .. 'slots:' .. run, step, 'waits')
end

-- Takes a member out of all lines of its shape. Who waits behind it there was passed by the same claims, as long as it was there.
-- What `slots:<run>` says of it is left to the caller. first: the first member of the shape.
local function line_leave(shape, member, passed_at, first)
    local claim = line_name(member)
    local heir = shape_line(shape, first, 'ZREM', member)
    for _, part in ipairs(parts_of[shape]) do
        call('ZREM', P .. 'pool:' .. part[1] .. ':waiters', member)
    end
    call('DEL', P .. 'wait:' .. claim)
    call('ZREM', P .. 'waiters', claim)
    local since = passed_at and heir and tonumber(call('HGET', P .. 'wait:' .. heir, 'since'))
    if since then
        call('HSETNX', P .. 'wait:' .. heir, 'passed_at', num(math.max(since, passed_at)))
    end
end

local function waiter_drop(claim)
    local run, step = run_and_step(claim)
    local f = call('HMGET', P .. 'wait:' .. claim, 'shape', 'arrival', 'passed_at')
    line_leave(f[1], line_member(f[2], claim), tonumber(f[3]), first_member(f[1]))
    call('HDEL', P .. 'slots:' .. run, step)
end

-- A shape that nobody waits in stands in the lines of its pools, as that member.
local function shape_forget(member)
    local shape = line_name(member)
    for _, part in ipairs(parts_of[shape]) do
        call('ZREM', P .. 'pool:' .. part[1] .. ':shapes', member)
        seen_forget(part[1])
    end
    ahead_forget()
    drift('shape:' .. shape, '')
end

-- The first waiter of a shape has no record.
local function first_waiter_forget(shape, member)
    local run, step = run_and_step(line_name(member))
    line_leave(shape, member, nil, member)
    call('HDEL', P .. 'slots:' .. run, step)
    drift('shape:' .. shape, run, 'step', step)
end
