-- contest: the answer to a claim that was asked before, or whose slots are not simply free.
--@include lib/pools/line.lua
--@include lib/pools/seen.lua
--@include lib/pools/due.lua
--@include lib/history.lua
--@include lib/events.lua

-- Gives back what a claim holds or waits with.
local function give_back(claim, event)
    --@include lib/pools/pools.lua
    slots_release(claim, event)
end

-- Whether something has ended, or changed for those who wait for these pools.
local function is_anything_new(pools)
    return is_any_due('slots') or call('EXISTS', P .. 'pools_due') == 1 or
        (call('EXISTS', P .. 'waiters') == 1 and (is_any_due('waiters') or limits_changed(pools) ~= nil))
end

-- What has ended is given on, and limits of the pools of this shape that were changed are followed.
local function follow(shape)
    local pools = {}
    for i, part in ipairs(parts_of[shape]) do
        pools[i] = part[1]
    end
    if is_anything_new(pools) then
        --@include lib/pools/pools.lua
        pools_follow(pools)
        pools_sweep(20)
    end
end

-- What a claim holds or waits with, if it asks for the same again: its grant, and `wait:` as a flat list that is empty when it
-- does not wait. What an earlier attempt left behind is given back. A third value says why the claim itself is the stale one.
local function asked_before(claim, attempt, shape)
    --@include lib/grace.lua
    --@include lib/pools/grants.lua
    local held = grant_of(claim)
    local waits = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape', 'priority', 'arrival', 'since')
    local before = held and {held.attempt, held.shape} or waits
    if before[1] and tonumber(before[1]) > tonumber(attempt) then
        return held, waits, 'attempt ' .. before[1]
    end
    local over = held and slot_is_over(claim, held.lease)
    if over or (before[1] and (before[1] ~= attempt or before[2] ~= shape)) then
        give_back(claim, over and 'StepSlotExpired' or 'StepSlotReleased')
        return nil, {}
    end
    return held, waits
end

-- The answer to a claim that no free slot would ever serve.
local function refusal(shape, is_step)
    for _, part in ipairs(parts_of[shape]) do
        local pool, weight = part[1], part[2]
        local limit = pool_limit[pool]
        if not limit and not is_step then
            return {'UNKNOWN_POOL', unescape(pool)}
        elseif limit and limit > 0 and weight > limit then
            return {'NEVER', unescape(pool), num(weight), num(limit)}
        end
    end
end

-- A pool that only steps name is unlimited until somebody sets it.
local function pools_create(claim, shape)
    for _, part in ipairs(parts_of[shape]) do
        if not pool_limit[part[1]] then
            --@include lib/pools/claims.lua
            local run = run_and_step(claim)
            call('HSET', P .. 'pool_limits', unescape(part[1]), '-1')
            emit('PoolCreated', run, 'pool', unescape(part[1]), 'limit', '-1')
        end
    end
end

-- Why a claim waits that its pools would have room for, nil when it need not.
local function held_back(shape)
    if is_paused() then
        return 'history was lost, nothing is granted for a while'
    end
    for _, part in ipairs(parts_of[shape]) do
        if pool_is_limited(part[1]) and call('SISMEMBER', P .. 'pools_due', part[1]) == 1 then
            return "pool '" .. unescape(part[1]) .. "' is still serving those in line"
        end
    end
end

local function line_up(claim, attempt, shape, priority, arrival, waits, reason)
    local reply = {'WAITING', reason}
    if waits then
        call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
    else
        --@include lib/pools/waiters.lua
        local run, step = run_and_step(claim)
        waiter_add(claim, attempt, shape, priority, arrival)
        emit('StepSlotWaiting', run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), 'reason', reply[2])
    end
    for _, part in ipairs(parts_of[shape]) do
        local rank = call('ZRANK', P .. 'pool:' .. part[1] .. ':waiters', line_member(arrival, claim))
        reply[#reply + 1], reply[#reply + 2] = unescape(part[1]), num(rank + 1)
    end
    return reply
end

-- priority: nil where none was given; is_step: the pools may be new; known: what the run says of it, false for nothing
local function contest(claim, attempt, shape, priority, is_step, known)
    follow(shape)
    local held, waits, stale = nil, {}, nil
    if known then
        held, waits, stale = asked_before(claim, attempt, shape)
    end
    if stale then
        return {'STALE', stale}
    elseif held then
        call('ZADD', P .. 'slots', 'XX', num(now + held.lease), claim)
        return {'GRANTED', held.token, held.lease}
    end
    local refused = refusal(shape, is_step)
    if refused or (not waits[1] and call('ZSCORE', P .. 'slots', claim)) then
        give_back(claim, 'StepSlotReleased')
    end
    if refused then
        return refused
    end
    pools_create(claim, shape)
    priority = tonumber(waits[3]) or priority or 0
    local arrival = tonumber(waits[4]) or math.huge
    local blocked = shape_blocked(shape, priority, arrival)
    local reason = #blocked > 0 and blocked_text(blocked) or held_back(shape)
    if reason then
        arrival = waits[4] and arrival or call('HINCRBY', P .. 'meta', 'arrival', '1')
        return line_up(claim, attempt, shape, priority, arrival, waits[1], reason)
    end
    --@include lib/pools/grant_shape.lua
    mark_passed(shape, priority, arrival)
    if waits[1] then
        --@include lib/pools/waiters.lua
        waiter_drop(claim)
    end
    return {'GRANTED', grant_shape(claim, attempt, shape, tonumber(waits[5] or now))}
end
