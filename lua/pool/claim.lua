#!lua
-- Claims slots of one or several pools, all or none, or files the claim in the waiting line. Asked again it gives the same
-- answer; a claimant who waits asks at least every 10 s, or it is taken for dead after 30 s.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the run, '' when the claim is not a step of a run; [4] attempt;
--       [5] priority, '' for the run's; then pool, slots, pool, slots, ... (a pool named twice sums), 64 at most
-- RETURNS {'GRANTED', token, lease ms}: lease 0 when all pools are unlimited, nothing is held and nothing ends
--         {'WAITING', reason, pool, position, ...}: no positions when it waits for the same as before
--         {'NEVER', pool, slots, limit}: more than the pool has | {'UNKNOWN_POOL', pool}: not configured, and no step asks
--         {'TOO_MANY', most pools}
--         {'STALE', why}: the run is in that state or another's, or a later attempt of the step has asked
--@include lib/open.lua
--@include lib/pools/asked.lua
--@include lib/pools/grant.lua
if #pools > POOLS_MOST then
    return {'TOO_MANY', num(POOLS_MOST)}
end
local claim, run_token, attempt, priority = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local run, step = run_and_step(claim)
if run_token ~= '' then
    local f = call('HMGET', P .. 'run:' .. run, 'state', 'token', 'priority')
    if f[1] ~= 'Started' or f[2] ~= run_token then
        return {'STALE', f[1] or ''}
    end
    priority = priority ~= '' and priority or f[3]
end

-- A new claim, of what is free and nobody waits for.
local function take(unlimited)
    if now < (tonumber(call('HGET', P .. 'meta', 'paused_until')) or 0) then
        return nil
    elseif call('EXISTS', unpack(lines())) > 0 then
        --@include lib/pools/borne.lua
        if not is_borne(pools, names) then
            return nil
        end
    end
    local held, limited, slots = held_of(unlimited)
    local lease = limited[1] and shortest_lease(call('HMGET', P .. 'pool_leases', unpack(names))) or 0
    if limited[1] and call('ZADD', P .. 'slots', 'NX', num(now + lease), claim) == 0 then
        return nil -- it was left behind by hand
    end
    lease = num(lease)
    return {'GRANTED', grant(claim, attempt, shape, held, limited, slots, lease, '0'), lease}
end

-- It holds what it asks.
local function hold_on(mine)
    local expiry = mine and mine.attempt == attempt and mine.shape == shape and call('ZSCORE', P .. 'slots', claim)
    if not expiry or now >= tonumber(expiry) then
        return nil
    end
    call('ZADD', P .. 'slots', num(now + mine.lease), claim)
    return {'GRANTED', mine.token, num(mine.lease)}
end

-- The answer where it takes no more than a look at the claim and its pools.
local function answer(known)
    if known and known ~= 'waits' then
        return hold_on(grant_read(known))
    end
    local full, unlimited = look()
    if full and known then
        --@include lib/pools/again.lua
        return wait_on(claim, attempt, shape, full)
    end
    return full and not full[1] and take(unlimited)
end

local known = call('HGET', P .. 'slots:' .. run, step)
local short = answer(known)
if short then
    return short
end

-- The answer where it takes more.
local function long_answer()
    --@include lib/pools/contest.lua
    return contest(claim, attempt, shape, tonumber(priority), run_token ~= '', known)
end
return long_answer()
