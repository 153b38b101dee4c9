#!lua
-- Claims slots of one or several pools, all or none, or files the claim in the waiting line. Asked again it gives the same
-- answer; a claimant who waits asks at least every 10 s, or it is taken for dead after 30 s.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] claim `<run>/<step>`; [3] token of the run, '' when the claim is not a step of a run; [4] attempt;
--       [5] priority, '' for the run's; then pool, slots, pool, slots, ... (a pool named twice sums)
-- RETURNS {'GRANTED', token, lease ms}: lease 0 when all pools are unlimited, nothing is held and nothing ends
--         {'WAITING', reason, pool, position, ...}
--         {'NEVER', pool, slots, limit}: more than the pool has | {'UNKNOWN_POOL', pool}: not configured, and no step asks
--         {'STALE', why}: the run is in that state or another's, or a later attempt of the step has asked
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

local weights, names, parts = {}, {}, {}
for i = 6, #ARGV, 2 do
    local pool = escape(ARGV[i])
    names[#names + 1] = not weights[pool] and pool or nil
    weights[pool] = (weights[pool] or 0) + tonumber(ARGV[i + 1])
end
table.sort(names)
for i, pool in ipairs(names) do
    parts[i] = pool .. '=' .. num(weights[pool])
end
local shape = table.concat(parts, ',')

pools_follow()
pools_sweep(20)

local held = call('HMGET', P .. 'slot:' .. claim, 'attempt', 'shape', 'token', 'lease')
local waits = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape', 'priority', 'arrival', 'since')
local before = held[1] and held or waits
if not before[1] and call('ZSCORE', P .. 'slots', claim) then
    slots_release(claim)
end
if before[1] and tonumber(before[1]) > tonumber(attempt) then
    return {'STALE', 'attempt ' .. before[1]}
end
local over = held[1] and slot_is_over(claim, tonumber(held[4]))
if over or (before[1] and (before[1] ~= attempt or before[2] ~= shape)) then
    slots_release(claim, over and 'StepSlotExpired' or 'StepSlotReleased')
    held, waits = {}, {}
elseif held[1] then
    call('ZADD', P .. 'slots', 'XX', num(now + held[4]), claim)
    return {'GRANTED', held[3], held[4]}
end

for _, pool in ipairs(names) do
    local limit = pool_limit[pool]
    if not limit and run_token == '' then
        slots_release(claim, 'StepSlotReleased')
        return {'UNKNOWN_POOL', unescape(pool)}
    elseif limit and limit > 0 and weights[pool] > limit then
        slots_release(claim, 'StepSlotReleased')
        return {'NEVER', unescape(pool), num(weights[pool]), num(limit)}
    end
end
for _, pool in ipairs(names) do
    if not pool_limit[pool] then
        call('HSET', P .. 'pool_limits', unescape(pool), '-1')
        emit('PoolCreated', run, 'pool', unescape(pool), 'limit', '-1')
    end
end

priority = tonumber(waits[3] or priority) or 0
local since = tonumber(waits[5] or now)
local arrival = tonumber(waits[4] or call('HINCRBY', P .. 'meta', 'arrival', 1))
if may_enter(shape, priority, arrival) then
    if waits[1] then
        waiter_drop(claim)
    end
    mark_passed(shape, priority, arrival)
    return {'GRANTED', grant(claim, attempt, shape, since)}
end

local reply = {'WAITING', blocked_text(shape_blocked(shape, priority, arrival))}
if waits[1] then
    call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
else
    waiter_add(claim, attempt, shape, priority, arrival)
    emit_claim('StepSlotWaiting', claim, attempt, shape, 'reason', reply[2])
end
for _, pool in ipairs(names) do
    local rank = call('ZRANK', P .. 'pool:' .. pool .. ':waiters', line_member(arrival, claim))
    reply[#reply + 1], reply[#reply + 2] = unescape(pool), num(rank + 1)
end
return reply
