-- take: the answer to a new claim, of what is free and nobody waits for; nil where it takes more.
--@include lib/pools/settings.lua
--@include lib/pools/grant.lua
-- Counts slots; none where a pool has too few left.
local function is_counted(pools, slots, limits)
    for i = 1, #pools do
        if call('HINCRBY', P .. 'pool_used', pools[i], slots[i]) > limits[i] then
            --@include lib/pools/used.lua
            for back = 1, i do
                pool_take(pools[back], '-' .. slots[back])
            end
            return false
        end
    end
    return true
end

-- pools, names, asked: pools by their keys, as they are set, and the slots of each
local function take(claim, attempt, shape, pools, names, asked)
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
        if not is_borne(pools, names, limits) then
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
        elseif not is_counted(pools, slots, most) then
            call('ZREM', P .. 'slots', claim)
            return nil
        end
        lease = num(length)
    end
    return {'GRANTED', grant(claim, attempt, shape, held, pools, slots, lease, '0'), lease}
end
