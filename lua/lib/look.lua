-- look: what there is of what is asked, of all pools at once.
--@include lib/pool_settings.lua

-- pools, names: their keys, and how they are set; slots: how many of each key. Returns the pools that have too little left, {name,
-- used, limit} each; the limits, and what is used. nil where a pool is not set, or never has as much.
local function look(pools, names, slots)
    local limits, used = call('HMGET', P .. 'pool_limits', unpack(names)), call('HMGET', P .. 'pool_used', unpack(pools))
    local full = {}
    for i = 1, #pools do
        local limit, n, asked = limit_read(limits[i]), tonumber(used[i]) or 0, slots[pools[i]]
        if not limit or (asked > limit and limit > 0) then
            return nil
        end
        limits[i], used[i] = limit, n
        if asked > limit - n then
            full[#full + 1] = {names[i], n, limit}
        end
    end
    return full, limits, used
end
