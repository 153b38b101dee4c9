-- invariants: what must hold in a namespace after every script call, found by looking at every key.
-- KEYS  [1] prefix; [2] a string of its own: exists while runs may stand in lanes of limits that came and went unseen
-- ARGV  the keys of the tags that runs carry
-- RETURNS {length of the bell, runs}, runs = `<id> <state> <score>` by id, a line each; score = lease expiry, start of a
--         delayed run, end of a finished one, 0 while it stands in the queue. An error names what is broken.
local P, call = KEYS[1], redis.call

local function must(ok, ...)
    if not ok then
        error('broken: ' .. table.concat({...}, ' '), 0)
    end
    return ok
end

local function memo(make)
    return setmetatable({}, {__index = function(known, name)
        local value = make(name)
        rawset(known, name, value)
        return value
    end})
end

local SINGLE = {queue = 1, delayed = 1, running = 1, history = 1, ready = 1, parked = 1, meta = 1, refile = 1, config = 1,
    tag_limits = 1, events = 1, bell = 1}
local named = {run = {}, spec = {}, lane = {}, gate = {}, parked = {}, key = {}, wake = {}, dequeuer = {}, request = {}}
for _, key in ipairs(call('KEYS', P .. '*')) do
    local kind, name = key:match('^([^:]+):?(.*)$', #P + 1)
    if name ~= '' or kind == 'lane' then -- `lane:` is the lane without gates
        must(named[kind], 'unknown key', key)[name] = true
    else
        must(SINGLE[kind], 'unknown key', key)
    end
end

-- {member = score}, number of members, first member
local function members(key)
    local flat, set = call('ZRANGE', P .. key, 0, -1, 'WITHSCORES'), {}
    for i = 1, #flat, 2 do
        set[flat[i]] = flat[i + 1]
    end
    return set, #flat / 2, flat[1]
end

local function hash(key)
    local flat, fields = call('HGETALL', P .. key), {}
    for i = 1, #flat, 2 do
        fields[flat[i]] = flat[i + 1]
    end
    return fields, table.concat(flat, '\n')
end

local gates_in = memo(function(lane)
    local gates = {}
    for gate in lane:gmatch('[^,]+') do
        gates[gate] = true
    end
    return gates
end)

-- The lane that the limits of now give a run; notes the limit of each gate.
local limits, limits_text = hash('tag_limits')
local limit_of = {}
local escaped = memo(function(s)
    return (s:gsub('[^%w_./:@+-]', function(c) return string.format('%%%02X', c:byte()) end))
end)
local function number(text)
    return not text and math.huge or text:find('^%d+$') and tonumber(text) or 0
end
local function lane_of(record)
    local gates = {}
    for _, key in ipairs(ARGV) do
        local value = record['tag:' .. key]
        if value and limits[key] then
            gates[#gates + 1] = escaped[key]
            limit_of[escaped[key]] = number(limits[key])
        end
        local one, each = value and limits[key .. '=' .. value], limits[key .. '=*']
        if value and (one or each) then
            gates[#gates + 1] = escaped[key] .. '=' .. escaped[value]
            limit_of[gates[#gates]] = math.min(number(one), number(each))
        end
    end
    table.sort(gates)
    return table.concat(gates, ',')
end

local refile = hash('refile')
local names = {}
for name in pairs(limits) do
    names[#names + 1] = name
end
table.sort(names)
if table.concat(names, '\n') ~= (refile.names or '') then
    call('SET', KEYS[2], 1)
elseif refile.phase == 'count' or refile.phase == 'wake_file' then
    call('DEL', KEYS[2])
end
local settled = not refile.phase and limits_text == (refile.seen or '')
local filed = settled and call('EXISTS', KEYS[2]) == 0

local queue, queued = members('queue')
local delayed, running, history = members('delayed'), members('running'), members('history')
local ready, heads = members('ready')
local records, ids, usage, places = {}, {}, {}, {}

-- Every run stands in the one index of its state.
local INDEXES = {
    {set = queue, states = {Queued = true}}, {set = delayed, states = {Queued = true}},
    {set = running, states = {NotStarted = true, Started = true}},
    {set = history, states = {Success = true, Failure = true, Canceled = true}},
}
local FIELDS = {'state', 'priority', 'gates', 'parked', 'key', 'capacity_of', 'cancel_at'}
for _, key in ipairs(ARGV) do
    FIELDS[#FIELDS + 1] = 'tag:' .. key
end
for id in pairs(named.run) do
    local record, found, score = {}, 0, nil
    for i, value in ipairs(call('HMGET', P .. 'run:' .. id, unpack(FIELDS))) do
        record[FIELDS[i]] = value
    end
    for _, index in ipairs(INDEXES) do
        if index.set[id] then
            found, score = found + 1, index.set[id]
            must(index.states[record.state], id, 'in the index of another state than', record.state)
        end
    end
    must(found == 1, id, record.state, 'in', found, 'indexes')
    must(named.spec[id], id, 'without its spec')
    must(not record.key or call('GET', P .. 'key:' .. record.key) == id, id, 'without its key')
    must(not record.parked or queue[id], id, record.state, 'and parked')
    records[id], ids[#ids + 1] = record, id
    places[id] = id .. ' ' .. record.state .. ' ' .. (queue[id] and '0' or score) .. '\n'
    must(not queue[id] or tonumber(score) == -record.priority, id, 'has score', score)
end
for _, index in ipairs(INDEXES) do
    for id in pairs(index.set) do
        must(records[id], id, 'in an index without a record')
    end
end

-- In-progress runs are counted by the gates of their tags, and nobody else is.
for id in pairs(running) do
    local record = records[id]
    must(not settled or record.gates == lane_of(record), id, 'in progress with gates', record.gates)
    for gate in pairs(gates_in[record.gates]) do
        usage[gate] = (usage[gate] or 0) + 1
        must(call('ZSCORE', P .. 'gate:' .. gate, id), id, 'not counted by', gate)
    end
    local dequeuer = record.capacity_of
    must(not dequeuer or call('ZSCORE', P .. 'dequeuer:' .. dequeuer, id), id, 'not counted by', dequeuer)
end
for gate in pairs(named.gate) do
    must(call('ZCARD', P .. 'gate:' .. gate) == usage[gate], 'gate', gate, 'counts others')
end
for dequeuer in pairs(named.dequeuer) do
    for id in pairs(members('dequeuer:' .. dequeuer)) do
        must(running[id] and records[id].capacity_of == dequeuer, 'dequeuer', dequeuer, 'counts', id)
    end
end

-- Each queued run is in its lane; each lane has its head in `ready` or parked on one of its gates.
local parked_sets, parked_heads = {}, 0
local parked_index, parked_gates = members('parked')
for gate in pairs(named.parked) do
    local set, count, first = members('parked:' .. gate)
    must(parked_index[gate] == '0', 'gate', gate, 'not in the index of parked heads')
    parked_sets[gate], parked_heads, parked_gates = {set = set, first = first}, parked_heads + count, parked_gates - 1
end
must(parked_gates == 0, 'gates without parked heads in the index')
local in_lanes = 0
for lane in pairs(named.lane) do
    local set, count, head = members('lane:' .. lane)
    local gates, score = gates_in[lane], set[head]
    in_lanes, heads = in_lanes + count, heads - 1
    for id in pairs(set) do
        local record = records[id]
        must(record and record.gates == lane and queue[id] == set[id], id, 'in lane', lane)
        must(not filed or lane_of(record) == lane, id, 'queued with gates', lane)
        must(id == head or not (ready[id] or record.parked), id, 'is a candidate behind the head of', lane)
    end
    local gate = records[head].parked
    if gate then
        must(gates[gate] and parked_sets[gate] and parked_sets[gate].set[head] == score, head, 'not parked on', gate)
        must(not ready[head], head, 'in ready and parked')
    else
        must(ready[head] == score, head, 'neither in ready nor parked')
    end
end
must(in_lanes == queued, 'queued runs outside of lanes')
must(heads + parked_heads == 0, 'candidates that are no heads')

-- While a gate has room and heads are parked on it, `ready` holds a better head that passes the same gate.
local function better(a, a_score, b, b_score)
    a_score, b_score = tonumber(a_score), tonumber(b_score)
    return a_score < b_score or (a_score == b_score and a < b)
end
for gate, parked in pairs(settled and parked_sets or {}) do
    lane_of(records[parked.first])
    if (usage[gate] or 0) < (limit_of[gate] or math.huge) then
        local found = false
        for id, score in pairs(ready) do
            found = found or gates_in[records[id].gates][gate] and better(id, score, parked.first, parked.set[parked.first])
        end
        must(found, 'gate', gate, 'has room and', parked.first, 'sleeps')
    end
end

for id in pairs(named.spec) do
    must(records[id], 'spec without its run', id)
end
for id in pairs(named.wake) do
    must(running[id] and records[id].cancel_at, 'wake without a cancel', id)
end
for key in pairs(named.key) do
    must(records[call('GET', P .. 'key:' .. key)], 'key without its run', key)
end
table.sort(ids)
for i, id in ipairs(ids) do
    ids[i] = places[id]
end
return {call('LLEN', P .. 'bell'), table.concat(ids)}
