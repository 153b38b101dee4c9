-- gates: what the tag limits make of a run's tags, and the room that each gate has.
-- A tag limit `team` makes the gate `team`; `team=growth` and `team=*` both make the gate `team=growth`, whose limit is the
-- lower of the two. A gate's usage is the set of in-progress runs in `gate:<name>`.
--@include lib/limits.lua
--@include lib/memo.lua
local limit_of = memo(function(gate)
    local key, limit = gate:match('^([^=]*)='), limit_number(limits[unescape(gate)])
    return key and math.min(limit, limit_number(limits[unescape(key) .. '=*'])) or limit
end)

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

-- The gates of a lane.
local gates_in = memo(function(lane)
    local gates = {}
    for gate in lane:gmatch('[^,]+') do
        gates[#gates + 1] = gate
    end
    return gates
end)

local usage_of = memo(function(gate)
    return call('ZCARD', P .. 'gate:' .. gate)
end)

local function room_of(gate)
    return limit_of[gate] - usage_of[gate]
end

local function gate_enter(gate, id)
    local added = call('ZADD', P .. 'gate:' .. gate, NOW, id)
    usage_of[gate] = rawget(usage_of, gate) and usage_of[gate] + added
end

local function gate_leave(gate, id)
    local removed = call('ZREM', P .. 'gate:' .. gate, id)
    usage_of[gate] = rawget(usage_of, gate) and usage_of[gate] - removed
end
