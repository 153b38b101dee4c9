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
--@include lib/grants.lua
--@include lib/history.lua
local claim, run_token, attempt, priority = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local run, step = run_and_step(claim)
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

local function is_any_over(index)
    return call('ZCOUNT', P .. index, '-inf', NOW) > 0
end

-- Whether the claim is new, all it asks is free and nobody waits for it. What has ended is given on first.
local function is_uncontested()
    local contested = {}
    for _, pool in ipairs(names) do
        local limit = pool_limit[pool]
        if not limit or weights[pool] > limit - pool_used[pool] then
            return false
        end
        contested[#contested + 1] = P .. 'pool:' .. pool .. ':shapes'
    end
    return call('EXISTS', unpack(contested)) == 0 and call('HEXISTS', P .. 'slots:' .. run, step) == 0 and
        not call('ZSCORE', P .. 'slots', claim) and not is_any_over('slots') and not is_any_over('waiters') and not is_paused()
end

if is_uncontested() then
    return {'GRANTED', grant(claim, attempt, shape, now)}
end
do
    --@include lib/contest.lua
    return contest(claim, attempt, shape, tonumber(priority), run_token ~= '')
end
