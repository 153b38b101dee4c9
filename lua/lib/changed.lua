-- changed: whether the limits of pools are others than those that were followed last. It matters while somebody waits.
-- Then the limits, {pool, limit, pool, limit, ...}, and the text to remember them by.
local function limits_changed()
    local flat = call('HGETALL', P .. 'pool_limits')
    local text = table.concat(flat, '\n')
    if (call('HGET', P .. 'meta', 'pools_seen') or '') ~= text then
        return flat, text
    end
end
