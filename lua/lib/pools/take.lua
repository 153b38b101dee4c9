-- take: the answer to a new claim, of what is free and nobody waits for; nil where it takes more.
--@include lib/pools/settings.lua
--@include lib/pools/grant.lua
-- pools, names, asked: pools by their keys, as they are set, and the slots of each
local function take(claim, run, step, attempt, shape, pools, names, asked)
    local limits, most, lines, is_limited = call('HMGET', P .. 'pool_limits', unpack(names)), {}, {}, true
    for i = 1, #pools do
        local limit = limit_read(limits[i])
        if not limit or tonumber(asked[i]) > limit then
            return nil
        end
        most[i], lines[i] = limit, P .. 'pool:' .. pools[i] .. ':shapes'
        is_limited = is_limited and limit < math.huge
    end
    if now < (tonumber(call('HGET', P .. 'meta', 'paused_until')) or 0) then
        return nil
    elseif call('EXISTS', unpack(lines)) > 0 then
        --@include lib/pools/borne.lua
        if not is_borne(pools, limits) then
            return nil
        end
    end
    local held, slots, lease = shape, asked, '0'
    if not is_limited then
        --@include lib/pools/limited.lua
        held, pools, slots, most = limited(pools, slots, most)
    end
    if pools[1] then
        local length = shortest_lease(call('HMGET', P .. 'pool_leases', unpack(names)))
        if call('ZADD', P .. 'slots', 'NX', num(now + length), claim) == 0 then
            return nil -- it was left behind by hand
        end
        for i = 1, #pools do
            if call('HINCRBY', P .. 'pool_used', pools[i], slots[i]) > most[i] then
                --@include lib/pools/put_back.lua
                put_back(claim, pools, slots, i)
                return nil
            end
            call('ZADD', P .. 'pool:' .. pools[i] .. ':holders', slots[i], claim)
        end
        lease = num(length)
    end
    return {'GRANTED', grant(run, step, attempt, shape, held, lease, '0'), lease}
end
