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
--@include lib/pools/claims.lua
--@include lib/pools/asked.lua
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

-- The answer where it takes no more than a look at the claim and its pools.
local known, answer = call('HGET', P .. 'slots:' .. run, step), nil
if not known then
    --@include lib/pools/take.lua
    answer = take(claim, run, step, attempt, shape, pools, names, asked)
elseif known == 'waits' then
    --@include lib/pools/wait_on.lua
    answer = wait_on(claim, attempt, shape, pools, names, asked)
else
    --@include lib/pools/hold_on.lua
    answer = hold_on(claim, attempt, shape, known)
end
if answer then
    return answer
end
--@include lib/pools/contest.lua
return contest(claim, attempt, shape, tonumber(priority), run_token ~= '', known)
