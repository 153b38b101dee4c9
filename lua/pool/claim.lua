#!lua
-- Claims slots of one or several pools, all or none, or files the claim in the waiting line. Asked again it gives the same
-- answer; a claimant who waits asks at least every 10 s, or it is taken for dead after 30 s.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the run, '' when the claim is not a step of a run; [4] attempt;
--       [5] priority, '' for the run's; then pool, slots, pool, slots, ... (a pool named twice sums)
-- RETURNS {'GRANTED', token, lease ms}
--         {'WAITING', reason, pool, position, ...}
--         {'NEVER', pool, slots, limit}: more than the pool has | {'UNKNOWN_POOL', pool}: not configured, and no step asks
--         {'STALE', state}: the run is not the claimant's
--@include lib/open.lua
--@include lib/pools.lua
local claim, run_token, attempt, priority = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local run = run_and_step(claim)
if run_token ~= '' then
    local f = call('HMGET', P .. 'run:' .. run, 'state', 'token', 'priority')
    if f[1] ~= 'Started' or f[2] ~= run_token then
        return {'STALE', f[1] or ''}
    end
    priority = priority ~= '' and priority or f[3]
end
priority = tonumber(priority) or 0

local weights, names = {}, {}
for i = 6, #ARGV, 2 do
    local pool = escape(ARGV[i])
    names[#names + 1] = not weights[pool] and pool or nil
    weights[pool] = (weights[pool] or 0) + tonumber(ARGV[i + 1])
end
table.sort(names)
for i, pool in ipairs(names) do
    local limit = pool_limit(pool)
    if not limit and run_token == '' then
        return {'UNKNOWN_POOL', unescape(pool)}
    elseif limit and limit > 0 and weights[pool] > limit then
        return {'NEVER', unescape(pool), num(weights[pool]), num(limit)}
    end
    names[i] = pool .. '=' .. num(weights[pool])
end
local shape = table.concat(names, ',')
for _, part in ipairs(shape_parts(shape)) do
    if call('HSETNX', P .. 'pool_limits', unescape(part[1]), '-1') == 1 then
        emit('PoolCreated', run, 'pool', unescape(part[1]), 'limit', '-1')
    end
end

pools_follow()
pools_sweep(10)

local function granted()
    local f = call('HMGET', P .. 'slot:' .. claim, 'token', 'lease', 'attempt', 'shape')
    if not f[1] then
        return nil
    elseif f[3] ~= attempt or f[4] ~= shape then
        slots_release(claim, 'StepSlotReleased')
        return nil
    end
    call('ZADD', P .. 'slots', 'XX', num(now + f[2]), claim)
    return {'GRANTED', f[1], f[2]}
end

local function waiting(again)
    local f = call('HMGET', P .. 'wait:' .. claim, 'arrival', 'attempt', 'shape', 'priority')
    if f[1] and (f[2] ~= attempt or f[3] ~= shape) then
        slots_release(claim, 'StepSlotReleased')
        return nil
    elseif not f[1] then
        return nil
    end
    call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
    local reply = {'WAITING', blocked_text(shape_blocked(shape, tonumber(f[4]), tonumber(f[1])))}
    for _, part in ipairs(shape_parts(shape)) do
        local rank = call('ZRANK', P .. 'pool:' .. part[1] .. ':waiters', line_member(tonumber(f[1]), claim))
        reply[#reply + 1], reply[#reply + 2] = unescape(part[1]), num(rank + 1)
    end
    if not again then
        local _, step = run_and_step(claim)
        emit('StepSlotWaiting', run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), 'reason', reply[2])
    end
    return reply
end

local answer = granted() or waiting(true)
if answer and answer[1] == 'WAITING' then
    serve(shape) -- nobody should be left behind; this is the net below
    answer = granted() or answer
end
if answer then
    return answer
end
local arrival = tonumber(call('HGET', P .. 'meta', 'arrival') or 0) + 1
if #shape_blocked(shape, priority, arrival) == 0 then
    mark_passed(shape, priority, arrival)
    local token, lease = grant(claim, attempt, shape, now)
    return {'GRANTED', token, lease}
end
waiter_add(claim, attempt, shape, priority, PATIENCE)
return waiting(false)
