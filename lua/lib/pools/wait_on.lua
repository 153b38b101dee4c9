-- wait_on: the answer to a claim that waits and asks again, where it takes no more than a look at it; nil where it takes more.
--@include lib/pools/settings.lua
--@include lib/pools/due.lua
--@include lib/pools/full.lua
-- pools, names, asked: pools by their keys, as they are set, and the slots of each
local function wait_on(claim, attempt, shape, pools, names, asked)
    local limits, used = call('HMGET', P .. 'pool_limits', unpack(names)), call('HMGET', P .. 'pool_used', unpack(pools))
    local full = {}
    for i = 1, #pools do
        local limit, taken, wanted = limit_read(limits[i]), tonumber(used[i]) or 0, tonumber(asked[i])
        if not limit or (wanted > limit and limit > 0) then
            return nil
        elseif wanted > limit - taken then
            full[#full + 1] = {names[i], taken, limit}
        end
    end
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape')
    if f[1] ~= attempt or f[2] ~= shape or not full[1] or is_any_due('slots') or is_any_due('waiters') then
        return nil
    end
    call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
    return {'WAITING', full_text(full)}
end
