-- tags: what the tag limits make of a run's tags. A tag limit `team` makes the gate `team`; `team=growth` and `team=*` both make
-- the gate `team=growth`.
--@include lib/queue/limits.lua
-- tags: {key, value, key, value, ...}; returns the lane, the sorted names of the gates joined by ','
local function lane_of(tags)
    local gates = {}
    for i = 1, #tags, 2 do
        local key, value = tags[i], tags[i + 1]
        if limits[key] then
            gates[#gates + 1] = escape(key)
        end
        if limits[key .. '=' .. value] or limits[key .. '=*'] then
            gates[#gates + 1] = escape(key) .. '=' .. escape(value)
        end
    end
    table.sort(gates)
    return table.concat(gates, ',')
end

local function tags_of(id)
    local record, tags = call('HGETALL', P .. 'run:' .. id), {}
    for i = 1, #record, 2 do
        if record[i]:sub(1, 4) == 'tag:' then
            tags[#tags + 1] = record[i]:sub(5)
            tags[#tags + 1] = record[i + 1]
        end
    end
    return tags
end
