-- look: what there is of what is asked, of all pools at once.
--@include lib/pool_settings.lua

-- pools, names: their keys, and how they are set; slots: how many of each key. Returns the pools that have too little left, {name,
-- used, limit} each; the limits, and what is used, by key. nil where a pool is not set, or never has as much.
local function look(pools, names, slots)
    local set, taken = call('HMGET', P .. 'pool_limits', unpack(names)), call('HMGET', P .. 'pool_used', unpack(pools))
    local full, limits, used = {}, {}, {}
    for i = 1, #pools do
        local pool, limit, n = pools[i], limit_read(set[i]), tonumber(taken[i]) or 0
        if not limit or (slots[pool] > limit and limit > 0) then
            return nil
        end
        limits[pool], used[pool] = limit, n
        if slots[pool] > limit - n then
            full[#full + 1] = {names[i], n, limit}
        end
    end
    return full, limits, used
end
