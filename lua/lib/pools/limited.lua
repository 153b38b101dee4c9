-- limited: what is asked of pools without those that are unlimited.
-- Returns `pool=slots` of all that are left, their keys, slots and limits.
local function limited(pools, slots, limits)
    local parts, left, left_slots, left_limits = {}, {}, {}, {}
    for i = 1, #pools do
        if limits[i] < math.huge then
            local n = #left + 1
            parts[n], left[n], left_slots[n], left_limits[n] = pools[i] .. '=' .. slots[i], pools[i], slots[i], limits[i]
        end
    end
    return table.concat(parts, ','), left, left_slots, left_limits
end
