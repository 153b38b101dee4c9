-- seen: the limits of pools that somebody waits for, as they were when their lines were served last: the hash `pools_seen`, a pool
-- by its key -> the text of its limit, '' for none.
--@include lib/names.lua
-- Of these pools, by their keys, those with another limit now, {pool, limit, pool, limit, ...}; nil for none. limits: the texts of
-- those that they have now, where they were read already.
local function limits_changed(pools, limits)
    if not limits then
        local names = {}
        for i, pool in ipairs(pools) do
            names[i] = unescape(pool)
        end
        limits = names[1] and call('HMGET', P .. 'pool_limits', unpack(names))
    end
    local seen, changed = pools[1] and call('HMGET', P .. 'pools_seen', unpack(pools)), nil
    for i, pool in ipairs(pools) do
        if seen[i] and seen[i] ~= (limits[i] or '') then
            changed = changed or {}
            changed[#changed + 1], changed[#changed + 2] = pool, limits[i] or ''
        end
    end
    return changed
end
