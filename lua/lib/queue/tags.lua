-- tags: what the tag limits make of a run's tags. A tag limit `team` makes the gate `team`; `team=growth` and `team=*` both make
-- the gate `team=growth`.
--@include lib/queue/limits.lua
local made = {} -- field of a record -> value -> the gates that these make
local function gates_of(field, value)
    local key, gates = field:match('^tag:(.*)'), {}
    if key and limits[key] then
        gates[1] = escape(key)
    end
    if key and (limits[key .. '=' .. value] or limits[key .. '=*']) then
        gates[#gates + 1] = escape(key) .. '=' .. escape(value)
    end
    made[field] = made[field] or {}
    made[field][value] = gates
    return gates
end

-- words: field, value, field, value, ... of a record, from `first` to `last`; returns the lane, the sorted names of the gates
-- joined by ','
local function lane_of(words, first, last)
    local lane, n = {}, 0
    for i = first, last, 2 do
        local field, value = words[i], words[i + 1]
        local gates = made[field] and made[field][value] or gates_of(field, value)
        for j = 1, #gates do
            n = n + 1
            lane[n] = gates[j]
        end
    end
    table.sort(lane)
    return table.concat(lane, ',')
end

local function lane_of_run(id)
    local record = call('HGETALL', P .. 'run:' .. id)
    return lane_of(record, 1, #record)
end
