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
--   slots:<run>         hash  the steps of a run that hold or wait: a grant each, or `waits` (grants.lua)
--   pools_seen          hash  the limits under which the lines were served last (seen.lua)
--   pools_due           set   pools with slots to give that one call was too short for; nobody comes in past their lines
--@include lib/pools/waiters.lua
--@include lib/pools/serve.lua
--@include lib/pools/seen.lua
--@include lib/grace.lua
--@include lib/pools/due.lua
--@include lib/pools/ungrant.lua
--@include lib/drift.lua

-- A claim of this index has no record: whatever any pool holds for it is free. Where it stands in a line is found when it is
-- the first there.
local function claim_forget(index, claim, freed)
    local run, step = run_and_step(claim)
    for _, name in ipairs(call('HKEYS', P .. 'pool_limits')) do
        local pool = escape(name)
        local weight = call('ZSCORE', P .. 'pool:' .. pool .. ':holders', claim)
        if weight then
            call('ZREM', P .. 'pool:' .. pool .. ':holders', claim)
            pool_take(pool, '-' .. weight)
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
    return #slots == many or #waiters == many or (call('EXISTS', P .. 'pools_due') == 1 and not is_paused())
end

-- Serves those who wait for these pools where the limits were changed, however that was done.
local function pools_follow(pools)
    local changed, served = limits_changed(pools) or {}, {}
    for i = 1, #changed, 2 do
        if call('EXISTS', P .. 'pool:' .. changed[i] .. ':shapes') == 1 then
            call('HSET', P .. 'pools_seen', changed[i], changed[i + 1])
        else
            call('HDEL', P .. 'pools_seen', changed[i])
        end
        served[#served + 1] = changed[i]
    end
    serve(served)
end

-- The same of all that somebody waits for: in slices where they are many, from the first again once a second. Returns whether
-- more is left to do.
local FEW, SLICE, ROUND = 100, 250, 1000
local function limits_follow()
    if call('HLEN', P .. 'pools_seen') <= FEW then
        pools_follow(call('HKEYS', P .. 'pools_seen'))
        return false
    end
    local f = call('HMGET', P .. 'meta', 'limits_at', 'limits_cursor')
    local begun_at, cursor = tonumber(f[1]) or 0, f[2] or '0'
    if cursor == '0' and now >= begun_at and now < begun_at + ROUND then
        return false
    end
    local answer, pools = call('HSCAN', P .. 'pools_seen', cursor, 'COUNT', SLICE), {}
    for i = 1, #answer[2], 2 do
        pools[#pools + 1] = answer[2][i]
    end
    pools_follow(pools)
    call('HSET', P .. 'meta', 'limits_at', cursor == '0' and NOW or f[1], 'limits_cursor', answer[1])
    return answer[1] ~= '0'
end
