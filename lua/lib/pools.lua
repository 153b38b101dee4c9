-- pools: named slots, who holds them, who waits for them.
--
-- A claim `<run>/<step>` asks slots of one or several pools, all or none. Its shape is its pools and weights, sorted:
-- `api=2,db=1` (names escaped). Claims of one shape wait in one line and are let in together, so what is looked at when
-- slots become free is the heads of the shapes, never the waiters one by one.
--
--   slots               zset  all grants by the end of their lease
--   pool:<p>:holders    zset  claims that hold slots of p, score: how many
--   pool_used           hash  p -> the sum of these scores; changes only together with them
--   pool:<p>:waiters    zset  all that wait for p, score -priority, member `<arrival> <claim>`: the line people see
--   pool:<p>:shapes     zset  the shapes that wait for p, by their heads: score -priority, member `<arrival> <shape>`
--   shape:<shape>       zset  the waiters of one shape, as in the line
--   wait:<claim>        hash  one waiter: attempt, shape, priority, arrival, since, passed_at
--   waiters             zset  all waiters by the end of their patience: a dead one vanishes
--   slots:<run>         hash  the steps of a run that hold or wait: a grant each, or `waits` (slots.lua)
--   pools_due           set   pools with slots to give that one call was too short for; nobody comes in past their lines
--@include lib/grants.lua
--@include lib/line.lua
--@include lib/bell.lua
local LOOKS = 500 -- heads of shapes looked at in one call
local GRANTS = 50 -- grants to waiters in one call

-- --- serving those who wait

-- Tells the process of a claim that something changed; the bell of one that is gone vanishes.
local function ring_claimant(claim)
    local key = P .. 'wake:' .. run_and_step(claim)
    ring(key)
    call('PEXPIRE', key, '600000')
end

-- The pools whose limits were changed since the last time, however that was done: all, as each change is rare. It matters to
-- those who wait.
local function pools_changed()
    if call('EXISTS', P .. 'waiters') == 0 then
        return {}
    end
    local flat, pools = call('HGETALL', P .. 'pool_limits'), {}
    local text = table.concat(flat, '\n')
    if (call('HGET', P .. 'meta', 'pools_seen') or '') ~= text then
        call('HSET', P .. 'meta', 'pools_seen', text)
        for i = 1, #flat, 2 do
            pools[#pools + 1] = escape(flat[i])
        end
    end
    return pools
end

local function add_due(pools)
    for _, pool in ipairs(pools) do
        if call('EXISTS', P .. 'pool:' .. pool .. ':shapes') == 1 then
            call('SADD', P .. 'pools_due', pool)
        end
    end
end

-- The line whose next head is the best of all; nil when nobody is left who could come in.
local function best_line(lines)
    local best
    for _, line in ipairs(lines) do
        if line.head == nil then
            line.head = pool_room(line.pool) > 0 and heads_of(line.pool, line.at, 1)[1] or false
        end
        if line.head and (not best or is_before(line.head, best.head.priority, best.head.arrival)) then
            best = line
        end
    end
    return best
end

-- Lets the first waiter of a shape in when what it asks is free. One that asks nothing limited any more is told, and comes
-- in when it asks again: there is nothing to record until then. Returns whether the line moved on.
local function let_in(head)
    local shape = head.shape
    if #shape_blocked(shape, head.priority, head.arrival) > 0 then
        return false
    end
    local claim = first_waiter(shape)
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'since')
    if not f[1] then
        first_waiter_forget(shape)
        return true
    end
    ring_claimant(claim)
    if limited_part(shape) == '' then
        return false
    end
    waiter_drop(claim)
    mark_passed(shape, head.priority, head.arrival)
    grant(claim, f[1], shape, tonumber(f[2]), PATIENCE)
    return true
end

-- Grants what is free in these pools, in those that are due, and in those whose limits were changed, to those who wait: best
-- first over all these pools.
local function serve(pools)
    add_due(pools)
    add_due(pools_changed())
    if is_paused() then
        return
    end
    local lines, grants = {}, 0
    for i, pool in ipairs(call('SMEMBERS', P .. 'pools_due')) do
        lines[i] = {pool = pool, at = 0}
    end
    for _ = 1, LOOKS do
        local line = best_line(lines)
        if not line then
            break
        elseif grants == GRANTS then
            return
        end
        local head = line.head
        if let_in(head) then
            grants = grants + 1
            for _, other in ipairs(lines) do
                other.head = (not other.head or other.head.shape ~= head.shape) and other.head or nil
            end
        else
            line.at, line.head = line.at + 1, nil
        end
    end
    call('DEL', P .. 'pools_due')
end

-- A claim of this index has no record: whatever any pool holds for it is free. Where it stands in a line is found when it is
-- the first there.
local function claim_forget(index, claim, freed)
    local run, step = run_and_step(claim)
    for _, name in ipairs(call('HKEYS', P .. 'pool_limits')) do
        local pool = escape(name)
        local weight = call('ZSCORE', P .. 'pool:' .. pool .. ':holders', claim)
        if weight then
            call('ZREM', P .. 'pool:' .. pool .. ':holders', claim)
            pool_take(pool, -weight)
            freed[#freed + 1] = pool
        end
    end
    call('ZREM', P .. 'slots', claim)
    call('ZREM', P .. 'waiters', claim)
    call('DEL', P .. 'wait:' .. claim)
    call('HDEL', P .. 'slots:' .. run, step)
    drift(index, run, 'step', step)
end

local function claim_reconcile(claim, freed)
    for _, index in ipairs({'slots', 'waiters'}) do
        if call('ZSCORE', P .. index, claim) then
            claim_forget(index, claim, freed)
        end
    end
end

local function ungrant(claim, grant, event)
    local run, step = run_and_step(claim)
    for _, part in ipairs(parts_of[grant.held]) do
        call('ZREM', P .. 'pool:' .. part[1] .. ':holders', claim)
        pool_take(part[1], -part[2])
    end
    call('ZREM', P .. 'slots', claim)
    call('HDEL', P .. 'slots:' .. run, step)
    emit_claim(event, claim, grant.attempt, grant.shape, 'token', grant.token)
end

-- Ends what a claim holds or waits for. Adds the pools that may have more to give now to `freed`.
local function slots_drop(claim, event, freed)
    local held, shape = grant_of(claim), nil
    if held then
        shape = held.shape
        ungrant(claim, held, event)
    else
        shape = call('HGET', P .. 'wait:' .. claim, 'shape')
        if not shape then
            return claim_reconcile(claim, freed)
        end
        waiter_drop(claim)
    end
    for _, part in ipairs(parts_of[shape]) do
        freed[#freed + 1] = part[1]
    end
end

local function slots_release(claim, event)
    local freed = {}
    slots_drop(claim, event, freed)
    serve(freed)
end

local function slots_release_steps(run, steps)
    local freed = {}
    table.sort(steps)
    for _, step in ipairs(steps) do
        slots_drop(run .. '/' .. step, 'StepSlotReleased', freed)
    end
    call('DEL', P .. 'slots:' .. run)
    serve(freed)
end

-- --- what time and operators do to pools

-- Ends a grant that was not renewed in time, but not within the grace; to the end of that of a gap it is put off.
local function slot_expire(claim, freed)
    local held = grant_of(claim)
    if not held or slot_is_over(claim, held.lease) then
        slots_drop(claim, 'StepSlotExpired', freed)
        ring_claimant(claim)
    elseif now < grace_end(held.lease) then
        call('ZADD', P .. 'slots', 'XX', num(grace_end(held.lease)), claim)
    end
end

-- Ends grants and waits that nobody renewed. Returns whether more is left to do.
local function pools_sweep(many)
    local freed, slots = {}, call('ZRANGEBYSCORE', P .. 'slots', '-inf', NOW, 'LIMIT', '0', many)
    for _, claim in ipairs(slots) do
        slot_expire(claim, freed)
    end
    local waiters = call('ZRANGEBYSCORE', P .. 'waiters', '-inf', NOW, 'LIMIT', '0', many)
    if #waiters > 0 and in_grace(PATIENCE) then
        waiters = {}
    end
    for _, claim in ipairs(waiters) do
        slots_drop(claim, 'StepSlotReleased', freed)
    end
    if #freed > 0 then
        serve(freed)
    end
    return #slots == many or #waiters == many or call('EXISTS', P .. 'pools_due') == 1
end

-- Serves those who wait for pools whose limits were changed, however that was done.
local function pools_follow()
    serve({})
end
