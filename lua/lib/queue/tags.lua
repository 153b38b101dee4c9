-- tags: what the tag limits make of a run's tags. A tag limit `team` makes the gate `team`; `team=growth` and `team=*` both make
-- the gate `team=growth`.
--@include lib/queue/limits.lua
local function gates_of(key, value)
    local gates = {}
    if limits[key] then
        gates[1] = escape(key)
    end
    if limits[key .. '=' .. value] or limits[key .. '=*'] then
        gates[#gates + 1] = escape(key) .. '=' .. escape(value)
    end
    return gates
end

local made = {} -- field of a record -> value -> the gates that these make; false where the field is no tag
-- words: field, value, field, value, ... of a record, from `first` to `last`; returns the lane, the sorted names of the gates
-- joined by ','
local function lane_of(words, first, last)
    local lane, n = {}, 0
    for i = first, last, 2 do
        local field, value = words[i], words[i + 1]
        local of_field = made[field]
        if of_field == nil then
            of_field = field:sub(1, 4) == 'tag:' and {}
            made[field] = of_field
        end
        if of_field then
            local gates = of_field[value] or gates_of(field:sub(5), value)
            of_field[value] = gates
            for j = 1, #gates do
                n = n + 1
                lane[n] = gates[j]
            end
        end
    end
    table.sort(lane)
    return table.concat(lane, ',')
end

local function lane_of_run(id)
    local record = call('HGETALL', P .. 'run:' .. id)
    return lane_of(record, 1, #record)
end
