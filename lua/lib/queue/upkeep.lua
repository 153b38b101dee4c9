-- upkeep: what time does to runs, in bounded pieces: leases end, delays end, the history grows old. Each looks whether anything
-- is due, and only then makes the functions for it. Each returns whether more is left to do.
--@include lib/queue/seldom.lua
local UPKEEP, SWEEP = 20, 10
local TURN = 100 -- ms: as exactly is it remembered when somebody looked; src/core/turn.h
local STEPS = 50 -- that are lost, or deleted with their runs, before a call ends
local FAR = 60000 -- ms: a clock that is set back less lengthens leases by no more

-- A gap between two sweeps means that the fleet, the server or the clock stood still or jumped: holders may have been cut
-- off as well, so nothing is swept before they had one lease to renew. Both times are those of `meta`, nil when there is none.
-- What a clock that was set back has left behind is cut (set_back.lua), from the next call on.
local function sweep_allowed(run_lease, interval, swept_at, resumed_at)
    if not swept_at or now < swept_at or now >= swept_at + TURN then
        call('HSET', P .. 'meta', 'swept_at', NOW)
    end
    local longest = 2 * interval + math.min(5000, run_lease / 5)
    if swept_at and (now < swept_at - 1000 or now > swept_at + longest) then
        call('HSET', P .. 'meta', 'resumed_at', NOW)
        if now < swept_at - FAR then
            call('HSET', P .. 'meta', 'set_back', 'running 0')
        end
        return false
    end
    return not resumed_at or now >= resumed_at + run_lease
end

local function sweep()
    local expired = call('ZRANGEBYSCORE', P .. 'running', '-inf', NOW, 'WITHSCORES', 'LIMIT', '0', SWEEP)
    if #expired == 0 then
        return false
    end
    local runs, steps = seldom(), 0
    for i = 1, #expired, 2 do
        if steps >= STEPS then
            return true
        end
        local id, expiry = expired[i], expired[i + 1]
        local f = call('HMGET', P .. 'run:' .. id, 'state', 'launched_at', 'gates', 'capacity_of', 'dequeued_at')
        if not f[1] then
            runs.forget('running', id)
        elseif f[1] == 'Started' then
            steps = steps + runs.lost(id, 'executor lost')
        elseif f[2] then
            local timeout = (expiry - (tonumber(f[5]) or expiry)) / 1000
            runs.lost(id, string.format('no executor appeared within %gs of dequeue', timeout))
        else
            runs.requeue(id, f[3] or '', f[4], 'the dequeuer ended before the launch was confirmed')
        end
    end
    return #expired == 2 * SWEEP
end

-- Pools matter to nobody while nothing is held that may have ended, and nobody waits.
local function pools()
    local ended = call('ZCOUNT', P .. 'slots', '-inf', NOW)
    if ended == 0 and call('EXISTS', P .. 'waiters') == 0 then
        return false
    end
    --@include lib/pools/pools.lua
    local more = limits_follow()
    return pools_sweep(UPKEEP) or more
end

local function promote()
    local due = call('ZRANGEBYSCORE', P .. 'delayed', '-inf', NOW, 'LIMIT', '0', UPKEEP)
    if #due == 0 then
        return false
    end
    local runs = seldom()
    for _, id in ipairs(due) do
        call('ZREM', P .. 'delayed', id)
        if call('HDEL', P .. 'run:' .. id, 'not_before') == 1 then
            runs.enqueue(id)
        else
            runs.forget('delayed', id)
        end
    end
    return #due == UPKEEP
end

local function trim(retention, retention_runs)
    local history, many = P .. 'history', 2 * UPKEEP
    local over = call('ZCARD', history) - retention_runs
    local old = call('ZRANGEBYSCORE', history, '-inf', num(now - retention), 'LIMIT', '0', many)
    if over > #old then
        old = call('ZRANGE', history, 0, math.min(over, many) - 1)
    end
    if #old == 0 then
        return false
    end
    --@include lib/queue/deletion.lua
    local steps = 0
    for _, id in ipairs(old) do
        if steps >= STEPS then
            return true
        end
        local deleted = run_delete(id)
        if not deleted then
            seldom().forget('history', id)
        end
        steps = steps + (deleted or 0)
    end
    return #old == many
end
