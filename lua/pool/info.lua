#!lua flags=no-writes
-- One pool with its holders and its waiting line, at most 100 of each.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] pool
-- RETURNS {'OK', {limit as set, claimed, number of holders, number of waiters, lease ms, max bypass ms, now},
--         {claim, slots, claimed_at, expiry, token, ...} five for each holder,
--         {claim, slots, since, priority, reason, ...} five for each waiter, in order}
--         {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/pools/pools.lua
local name, pool = ARGV[2], escape(ARGV[2])
local limit = call('HGET', P .. 'pool_limits', name)
if not limit then
    return {'NOT_FOUND'}
end
local key, holders, waiters = P .. 'pool:' .. pool, {}, {}
local function add(list, ...)
    for _, value in ipairs({...}) do
        list[#list + 1] = value
    end
end
local held = call('ZRANGE', key .. ':holders', 0, 99, 'WITHSCORES')
for i = 1, #held, 2 do
    local grant = grant_of(held[i]) or {}
    add(holders, held[i], held[i + 1], grant.claimed_at or '', call('ZSCORE', P .. 'slots', held[i]) or '', grant.token or '')
end
for _, member in ipairs(call('ZRANGE', key .. ':waiters', 0, 99)) do
    local claim = line_name(member)
    local f = call('HMGET', P .. 'wait:' .. claim, 'shape', 'since', 'priority')
    local slots = 0
    for _, part in ipairs(parts_of[f[1] or '']) do
        slots = part[1] == pool and part[2] or slots
    end
    if f[1] then
        add(waiters, claim, num(slots), f[2], f[3], wait_reason(claim))
    end
end
return {'OK', {limit, num(pool_used(pool)), num(call('ZCARD', key .. ':holders')), num(call('ZCARD', key .. ':waiters')),
    num(pool_lease(pool)), num(pool_bypass(pool)), NOW},
    holders, waiters}
