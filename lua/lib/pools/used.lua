-- used: how many slots of a pool are taken, by its key.
local known_used = {} -- to this call
local function pool_used(pool)
    known_used[pool] = known_used[pool] or tonumber(call('HGET', P .. 'pool_used', pool)) or 0
    return known_used[pool]
end

-- slots: text, below 0 of those that are given back
local function pool_take(pool, slots)
    known_used[pool] = call('HINCRBY', P .. 'pool_used', pool, slots)
    if known_used[pool] == 0 then
        call('HDEL', P .. 'pool_used', pool)
    end
end
