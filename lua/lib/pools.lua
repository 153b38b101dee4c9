-- pools: named slots, who holds them, who waits for them.
--
-- A claim `<run>/<step>` asks slots of one or several pools, all or none. Its shape is its pools and weights, sorted:
-- `api=2,db=1` (names escaped). Claims of one shape wait in one line and are let in together, so what is looked at when
-- slots become free is the heads of the shapes, never the waiters one by one.
--
--   slots               zset  all grants by the end of their lease
--   pool:<p>:holders    zset  claims that hold slots of p, score: how many
--   pool_used           hash  p -> the sum of these scores; changes only together with them
--   slot:<claim>        hash  one grant: attempt, token, shape, held (the part of the shape in limited pools), claimed_at, lease
--   pool:<p>:waiters    zset  all that wait for p, score -priority, member `<arrival> <claim>`: the line people see
--   pool:<p>:shapes     zset  the shapes that wait for p, by their heads: score -priority, member `<arrival> <shape>`
--   shape:<shape>       zset  the waiters of one shape, as in the line
--   wait:<claim>        hash  one waiter: attempt, shape, priority, arrival, since, passed_at
--   waiters             zset  all waiters by the end of their patience: a dead one vanishes
--   slots:<run>         set   the steps of a run that hold or wait
--@include lib/limits.lua
--@include lib/bell.lua
--@include lib/events.lua
local LOOKS = 200 -- shapes looked at when slots become free
local AHEAD = 8   -- waiters at the head of a line that are protected from being passed for ever

-- {{pool, weight}, ...} of a shape
local shape_memo = {}
local function shape_parts(shape)
    local parts = shape_memo[shape]
    if not parts then
        parts = {}
        for pool, weight in shape:gmatch('([^,=]+)=(%d+)') do
            parts[#parts + 1] = {pool, tonumber(weight)}
        end
        shape_memo[shape] = parts
    end
    return parts
end

-- Slots of a pool: infinite below 0; a limit that cannot be read grants nothing; nil when nobody configured the pool.
local function pool_limit(pool)
    local text = call('HGET', P .. 'pool_limits', unescape(pool))
    if not text then
        return nil
    end
    return text:find('^-%d+$') and math.huge or limit_number(text)
end

local function pool_used(pool)
    return tonumber(call('HGET', P .. 'pool_used', pool)) or 0
end

local function pool_number(hash, pool, otherwise)
    return tonumber(call('HGET', P .. hash, unescape(pool)) or nil) or otherwise
end

-- The lease of a grant: the shortest of its pools.
local function shape_lease(shape)
    local lease = math.huge
    for _, part in ipairs(shape_parts(shape)) do
        lease = math.min(lease, math.max(1000, pool_number('pool_leases', part[1], 300000)))
    end
    return lease
end

local function line_member(arrival, name)
    return string.format('%015.0f %s', arrival, name)
end

local function claim_of(member)
    return member:sub(17)
end

-- Whether a member of a line stands before a claim of this priority and arrival.
local function is_before(member, score, priority, arrival)
    score = tonumber(score)
    return score < -priority or (score == -priority and tonumber(member:sub(1, 15)) < arrival)
end

-- The slots of a pool that are kept for the first waiter ahead that was passed for too long.
local function kept_ahead(pool, priority, arrival)
    local line = call('ZRANGE', P .. 'pool:' .. pool .. ':waiters', 0, AHEAD - 1, 'WITHSCORES')
    local patience = line[1] and pool_number('pool_bypass', pool, 10000)
    for i = 1, #line, 2 do
        if not is_before(line[i], line[i + 1], priority, arrival) then
            return 0
        end
        local f = call('HMGET', P .. 'wait:' .. claim_of(line[i]), 'passed_at', 'shape')
        if f[1] and now >= tonumber(f[1]) + patience then
            for _, part in ipairs(shape_parts(f[2])) do
                if part[1] == pool then
                    return part[2]
                end
            end
        end
    end
    return 0
end

-- Whether a claim of this shape can be granted now; the pools that have not enough free slots otherwise.
local function shape_blocked(shape, priority, arrival)
    local blocked = {}
    for _, part in ipairs(shape_parts(shape)) do
        local pool, weight = part[1], part[2]
        local limit = pool_limit(pool) or math.huge
        if limit < math.huge then
            local free = limit - pool_used(pool)
            if weight > free or weight > free - kept_ahead(pool, priority, arrival) then
                blocked[#blocked + 1] = pool
            end
        end
    end
    return blocked
end

local function blocked_text(blocked)
    local words = {}
    for i, pool in ipairs(blocked) do
        words[i] = string.format("'%s' (%.0f/%.0f)", unescape(pool), pool_used(pool), pool_limit(pool) or -1)
    end
    if #words == 1 then
        return 'pool ' .. words[1]:gsub(' %(', ' full (', 1)
    end
    return 'pools full: ' .. table.concat(words, ', ')
end

local function run_and_step(claim)
    return claim:match('^([^/]*)/(.*)$')
end

-- Everyone at the head of a line who stands before this claim is passed by it: their patience runs from the first time on.
local function mark_passed(shape, priority, arrival)
    for _, part in ipairs(shape_parts(shape)) do
        local line = call('ZRANGE', P .. 'pool:' .. part[1] .. ':waiters', 0, AHEAD - 1, 'WITHSCORES')
        for i = 1, #line, 2 do
            if not is_before(line[i], line[i + 1], priority, arrival) then
                break
            end
            call('HSETNX', P .. 'wait:' .. claim_of(line[i]), 'passed_at', num(now))
        end
    end
end

-- Tells the process of a claim that something changed; the bell of one that is gone vanishes.
local function ring_claimant(claim)
    local key = P .. 'wake:' .. run_and_step(claim)
    ring(key)
    call('PEXPIRE', key, 600000)
end

-- --- the waiting line

local function shape_head_add(shape)
    local head = call('ZRANGE', P .. 'shape:' .. shape, 0, 0, 'WITHSCORES')
    if head[1] then
        for _, part in ipairs(shape_parts(shape)) do
            call('ZADD', P .. 'pool:' .. part[1] .. ':shapes', head[2], head[1]:sub(1, 16) .. shape)
        end
    end
end

local function shape_head_drop(shape)
    local head = call('ZRANGE', P .. 'shape:' .. shape, 0, 0)[1]
    if head then
        for _, part in ipairs(shape_parts(shape)) do
            call('ZREM', P .. 'pool:' .. part[1] .. ':shapes', head:sub(1, 16) .. shape)
        end
    end
end

local function waiter_add(claim, attempt, shape, priority, patience)
    local arrival = call('HINCRBY', P .. 'meta', 'arrival', 1)
    local member = line_member(arrival, claim)
    shape_head_drop(shape)
    call('ZADD', P .. 'shape:' .. shape, 0 - priority, member)
    shape_head_add(shape)
    for _, part in ipairs(shape_parts(shape)) do
        call('ZADD', P .. 'pool:' .. part[1] .. ':waiters', 0 - priority, member)
    end
    call('HSET', P .. 'wait:' .. claim, 'attempt', attempt, 'shape', shape, 'priority', num(priority), 'arrival',
        num(arrival), 'since', num(now))
    call('ZADD', P .. 'waiters', num(now + patience), claim)
    local run, step = run_and_step(claim)
    call('SADD', P .. 'slots:' .. run, step)
end

local function waiter_drop(claim)
    local f = call('HMGET', P .. 'wait:' .. claim, 'shape', 'arrival')
    local shape, member = f[1], line_member(tonumber(f[2]), claim)
    shape_head_drop(shape)
    call('ZREM', P .. 'shape:' .. shape, member)
    shape_head_add(shape)
    for _, part in ipairs(shape_parts(shape)) do
        call('ZREM', P .. 'pool:' .. part[1] .. ':waiters', member)
    end
    call('DEL', P .. 'wait:' .. claim)
    call('ZREM', P .. 'waiters', claim)
    return shape
end

-- --- grants

-- Gives the slots. until_taken: the claimant has not been told yet and has this long to come for them.
local function grant(claim, attempt, shape, since, until_taken)
    local token, held = call('HINCRBY', P .. 'meta', 'token', 1), {}
    local lease = shape_lease(shape)
    local run, step = run_and_step(claim)
    for _, part in ipairs(shape_parts(shape)) do
        local limit = pool_limit(part[1])
        if limit and limit < math.huge then
            held[#held + 1] = part[1] .. '=' .. part[2]
            call('HINCRBY', P .. 'pool_used', part[1], part[2])
            call('ZADD', P .. 'pool:' .. part[1] .. ':holders', part[2], claim)
        end
    end
    if #held > 0 then
        call('HSET', P .. 'slot:' .. claim, 'attempt', attempt, 'token', num(token), 'shape', shape, 'held',
            table.concat(held, ','), 'claimed_at', num(now), 'lease', num(lease))
        call('ZADD', P .. 'slots', num(now + (until_taken or lease)), claim)
        call('SADD', P .. 'slots:' .. run, step)
    end
    emit('StepSlotClaimed', run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), 'token', num(token),
        'waited_ms', num(now - since))
    return num(token), num(lease)
end

-- Takes the slots back; its caller serves the pools. Returns the shape that was held.
local function ungrant(claim, event)
    local slot = P .. 'slot:' .. claim
    local f = call('HMGET', slot, 'held', 'token', 'attempt')
    local run, step = run_and_step(claim)
    for _, part in ipairs(shape_parts(f[1])) do
        call('ZREM', P .. 'pool:' .. part[1] .. ':holders', claim)
        if call('HINCRBY', P .. 'pool_used', part[1], -part[2]) == 0 then
            call('HDEL', P .. 'pool_used', part[1])
        end
    end
    call('DEL', slot)
    call('ZREM', P .. 'slots', claim)
    call('SREM', P .. 'slots:' .. run, step)
    emit(event, run, 'step', step, 'attempt', f[3], 'pools', unescape(f[1]), 'token', f[2])
    return f[1]
end

-- Grants to those who wait for these pools what is free, best first; each has PATIENCE to come for it.
local PATIENCE = 30000
local function serve(shape)
    for _, part in ipairs(shape_parts(shape)) do
        local key, at = P .. 'pool:' .. part[1] .. ':shapes', 0
        for _ = 1, LOOKS do
            local head = call('ZRANGE', key, at, at, 'WITHSCORES')
            if not head[1] then
                break
            end
            local wanted, arrival, priority = head[1]:sub(17), tonumber(head[1]:sub(1, 15)), -head[2]
            if #shape_blocked(wanted, priority, arrival) == 0 then
                local claim = claim_of(call('ZRANGE', P .. 'shape:' .. wanted, 0, 0)[1])
                local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'since')
                waiter_drop(claim)
                mark_passed(wanted, priority, arrival)
                grant(claim, f[1], wanted, tonumber(f[2]), PATIENCE)
                ring_claimant(claim)
            else
                at = at + 1
            end
        end
    end
end

local function slots_release(claim, event)
    if call('EXISTS', P .. 'slot:' .. claim) == 1 then
        serve(ungrant(claim, event))
    elseif call('EXISTS', P .. 'wait:' .. claim) == 1 then
        local shape = waiter_drop(claim)
        local run, step = run_and_step(claim)
        call('SREM', P .. 'slots:' .. run, step)
        serve(shape)
    end
end

-- A run that ended holds nothing and waits for nothing.
local function slots_release_run(run)
    for _, step in ipairs(call('SMEMBERS', P .. 'slots:' .. run)) do
        slots_release(run .. '/' .. step, 'StepSlotReleased')
    end
end

-- --- what time and operators do to pools

-- After a gap (see upkeep) nothing ends before its holder had its own time to come back.
local resumed_at
local function in_grace(span)
    resumed_at = resumed_at or tonumber(call('HGET', P .. 'meta', 'resumed_at') or 0)
    return now < resumed_at + span
end

local function slot_expired(claim)
    local lease = tonumber(call('HGET', P .. 'slot:' .. claim, 'lease')) or 0
    if in_grace(lease) then
        return
    end
    slots_release(claim, 'StepSlotExpired')
    ring_claimant(claim)
end

-- Ends grants and waits that nobody renewed. Returns whether more is left to do.
local function pools_sweep(many)
    local slots = call('ZRANGEBYSCORE', P .. 'slots', '-inf', num(now), 'LIMIT', 0, many)
    for _, claim in ipairs(slots) do
        slot_expired(claim)
    end
    if in_grace(PATIENCE) then
        return false
    end
    local waiters = call('ZRANGEBYSCORE', P .. 'waiters', '-inf', num(now), 'LIMIT', 0, many)
    for _, claim in ipairs(waiters) do
        slots_release(claim, 'StepSlotReleased')
    end
    return #waiters == many
end

-- Serves those who wait for pools whose limits were changed, however that was done.
local function pools_follow()
    local flat = call('HGETALL', P .. 'pool_limits')
    local text = table.concat(flat, '\n')
    if (call('HGET', P .. 'meta', 'pools_seen') or '') == text then
        return
    end
    call('HSET', P .. 'meta', 'pools_seen', text)
    for i = 1, #flat, 2 do
        if call('EXISTS', P .. 'pool:' .. escape(flat[i]) .. ':shapes') == 1 then
            serve(escape(flat[i]) .. '=1')
        end
    end
end
