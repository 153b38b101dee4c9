-- gates: what the tag limits make of a run's tags, and the room that each gate has.
-- A tag limit `team` makes the gate `team`; `team=growth` and `team=*` both make the gate `team=growth`, whose limit is the
-- lower of the two. A gate's usage is the set of in-progress runs in `gate:<name>`.
--@include lib/limits.lua
local limit_memo = {}
local function limit_of(gate)
    local limit = limit_memo[gate]
    if not limit then
        local key = gate:match('^([^=]*)=')
        limit = limit_number(limits[unescape(gate)])
        if key then
            limit = math.min(limit, limit_number(limits[unescape(key) .. '=*']))
        end
        limit_memo[gate] = limit
    end
    return limit
end

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

local gates_memo = {}
local function gates_in(lane)
    local gates = gates_memo[lane]
    if not gates then
        gates = {}
        for gate in lane:gmatch('[^,]+') do
            gates[#gates + 1] = gate
        end
        gates_memo[lane] = gates
    end
    return gates
end

local usage_memo = {}
local function usage_of(gate)
    local usage = usage_memo[gate]
    if not usage then
        usage = call('ZCARD', P .. 'gate:' .. gate)
        usage_memo[gate] = usage
    end
    return usage
end

local function room_of(gate)
    return limit_of(gate) - usage_of(gate)
end

local function gate_enter(gate, id)
    local added = call('ZADD', P .. 'gate:' .. gate, num(now), id)
    usage_memo[gate] = usage_memo[gate] and usage_memo[gate] + added
end

local function gate_leave(gate, id)
    local removed = call('ZREM', P .. 'gate:' .. gate, id)
    usage_memo[gate] = usage_memo[gate] and usage_memo[gate] - removed
end
