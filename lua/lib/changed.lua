-- changed: whether the limits of pools are others than those that were followed last. It matters while somebody waits.
-- Then the limits, {pool, limit, pool, limit, ...}, and the text to remember them by. seen: that text, where it was read already.
local function limits_changed(seen)
    local flat = call('HGETALL', P .. 'pool_limits')
    local text = table.concat(flat, '\n')
    if (seen or call('HGET', P .. 'meta', 'pools_seen') or '') ~= text then
        return flat, text
    end
end
