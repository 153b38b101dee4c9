-- limits: the tag limits of this moment, the gates they make of a run's tags, and the room that each gate has.
-- A tag limit `team` makes the gate `team`; `team=growth` and `team=*` both make the gate `team=growth`, whose limit is the
-- lower of the two. A gate's usage is the set of in-progress runs in `gate:<name>`. Names are percent-escaped, so that `,`
-- can join the gates of a run into the name of its lane.
local function escape(s)
    return (s:gsub('[^%w_./:@+-]', function(c) return string.format('%%%02X', c:byte()) end))
end

local function unescape(s)
    return (s:gsub('%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end))
end

-- field -> text as the operator set it. Nothing is read before it is asked for: then all while they are few (`limits_flat`),
-- field by field above that.
local limits, limits_flat = {}, nil
local function limits_load()
    limits_flat = call('HGETALL', P .. 'tag_limits')
    setmetatable(limits, nil)
    for i = 1, #limits_flat, 2 do
        limits[limits_flat[i]] = limits_flat[i + 1]
    end
end

local function limits_load_few()
    if call('HLEN', P .. 'tag_limits') <= 32 then
        limits_load()
        return true
    end
end

setmetatable(limits, {__index = function(_, asked)
    if not limits_load_few() then
        setmetatable(limits, {__index = function(t, field)
            local text = call('HGET', P .. 'tag_limits', field)
            rawset(t, field, text)
            return text
        end})
    end
    return limits[asked]
end})

-- Whether these limits are the ones that `admit` followed last (refile.lua), so that a change of them will be noticed.
local followed
local function limits_are_followed()
    if followed == nil then
        followed = (limits_flat or limits_load_few()) and
            (call('HGET', P .. 'refile', 'seen') or '') == table.concat(limits_flat, '\n') or false
    end
    return followed
end

-- A limit that is no whole number >= 0 lets nobody pass: a typing error must not lift a limit.
local function limit_number(text)
    if not text then
        return math.huge
    end
    return text:find('^%d+$') and tonumber(text) or 0
end

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

-- A setting of `config` that limits runs; negative is unlimited.
local RUN_LIMITS = {max_concurrent_runs = '10', max_queued_runs = '-1'}
local function run_limit(field)
    local text = call('HGET', P .. 'config', field) or RUN_LIMITS[field]
    if text:find('^-%d+$') then
        return math.huge
    end
    return limit_number(text)
end

-- The global gate.
local function global_room()
    return run_limit('max_concurrent_runs') - call('ZCARD', P .. 'running')
end
