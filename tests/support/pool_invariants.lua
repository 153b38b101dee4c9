-- pool_invariants: what must hold of pools after every script call, found by looking at every key.
-- KEYS  [1] prefix
-- RETURNS a line for each claim that holds or waits, sorted. An error names what is broken.
local P, call = KEYS[1], redis.call

local function must(ok, ...)
    if not ok then
        error('broken: ' .. table.concat({...}, ' '), 0)
    end
    return ok
end

local SINGLE = {meta = 1, events = 1, pool_limits = 1, pool_leases = 1, pool_bypass = 1, bell = 1, slots = 1, waiters = 1,
    pool_used = 1, pools_seen = 1, pools_due = 1}
local named = {wait = {}, slots = {}, shape = {}, pool = {}, wake = {}}
for _, key in ipairs(call('KEYS', P .. '*')) do
    local kind, name = key:match('^([^:]+):?(.*)$', #P + 1)
    if name ~= '' then
        must(named[kind], 'unknown key', key)[name] = true
    else
        must(SINGLE[kind], 'unknown key', key)
    end
end
must(call('EXISTS', P .. 'pools_due') == 0, 'pools are left due')
for name in pairs(named.wake) do
    must(call('PTTL', P .. 'wake:' .. name) > 0, 'the bell of', name, 'stays for ever')
    must(call('LLEN', P .. 'wake:' .. name) == 1, 'the bell of', name, 'rings twice')
end

local function hash(key)
    local flat, fields = call('HGETALL', P .. key), {}
    for i = 1, #flat, 2 do
        fields[flat[i]] = flat[i + 1]
    end
    return fields
end

local function members(key)
    local flat, set = call('ZRANGE', P .. key, 0, -1, 'WITHSCORES'), {}
    for i = 1, #flat, 2 do
        set[flat[i]] = flat[i + 1]
    end
    return set
end

-- What the keys must be, from the grants and waiters alone: {key = {member = score}}
local want, used, lines = {}, {}, {}
local function expect(key, member, score)
    want[key] = want[key] or {}
    want[key][member] = score
end

-- The fields of a grant; none for one that waits.
local function grant(text)
    local f = {}
    for name, value in text:gmatch('([%w_]+)=(%S+)') do
        f[name] = value
    end
    return f
end

local function each_claim(index, record, visit)
    for claim, expiry in pairs(members(index)) do
        local run, step = claim:match('^([^/]*)/(.*)$')
        local f = record(claim, must(call('HGET', P .. 'slots:' .. run, step), claim, 'not in the hash of its run'))
        named.slots[run] = (tonumber(named.slots[run]) or 0) + 1
        lines[#lines + 1] = claim .. ' attempt ' .. f.attempt .. ' until ' .. expiry .. visit(claim, f) .. '\n'
    end
end

each_claim('slots', function(claim, text)
    must(not named.wait[claim], claim, 'holds and waits')
    return grant(text)
end, function(claim, f)
    for pool, weight in f.held:gmatch('([^,=]+)=(%d+)') do
        expect('pool:' .. pool .. ':holders', claim, weight)
        used[pool] = (used[pool] or 0) + weight
    end
    return ' token ' .. f.token .. ' lease ' .. f.lease .. ' holds ' .. f.held
end)

local arrivals = {} -- of all who wait, in order
for _, claim in ipairs(call('ZRANGE', P .. 'waiters', 0, -1)) do
    arrivals[#arrivals + 1] = tonumber(call('HGET', P .. 'wait:' .. claim, 'arrival')) or 0
end
table.sort(arrivals)
local function rank(arrival)
    for i, other in ipairs(arrivals) do
        if other == tonumber(arrival) then
            return i
        end
    end
end

local heads = {}
each_claim('waiters', function(claim, text)
    must(text == 'waits', claim, 'waits, and has', text)
    must(named.wait[claim], claim, 'waits without a record')
    named.wait[claim] = nil
    return hash('wait:' .. claim)
end, function(claim, f)
    local place, score = string.format('%015.0f ', f.arrival), tostring(0 - f.priority)
    for pool in f.shape:gmatch('([^,=]+)=%d+') do
        expect('pool:' .. pool .. ':waiters', place .. claim, score)
    end
    expect('shape:' .. f.shape, place .. claim, score)
    local head = heads[f.shape]
    if not head or tonumber(score) < tonumber(head.score) or (score == head.score and place < head.place) then
        heads[f.shape] = {score = score, place = place}
    end
    return ' place ' .. f.priority .. ' ' .. rank(f.arrival) .. ' since ' .. f.since .. ' waits ' .. f.shape
end)
must(not next(named.wait), 'a record out of waiters')
for shape, head in pairs(heads) do
    for pool in shape:gmatch('([^,=]+)=%d+') do
        expect('pool:' .. pool .. ':shapes', head.place .. shape, head.score)
    end
end

local seen = hash('pools_seen')
for pool in pairs(named.pool) do
    local waited_for = pool:match('^(.*):shapes$')
    if waited_for then
        must(seen[waited_for], 'the limit of', waited_for, 'was not seen')
        seen[waited_for] = nil
    end
end
must(not next(seen), next(seen) or '', 'is seen, and nobody waits for it')
for _, kind in ipairs({'pool', 'shape'}) do
    for name in pairs(named[kind]) do
        must(want[kind .. ':' .. name], 'orphan', kind, name)
    end
end
for key, set in pairs(want) do
    local found = members(key)
    for member, score in pairs(set) do
        must(found[member] == score, member, 'has score', found[member] or 'none', 'in', key)
        found[member] = nil
    end
    must(not next(found), next(found) or '', 'is too much in', key)
end
for pool, sum in pairs(hash('pool_used')) do
    must(used[pool] == tonumber(sum), 'pool_used of', pool, 'is', sum)
    used[pool] = nil
end
must(not next(used), 'no pool_used of', next(used) or '')
for run, count in pairs(named.slots) do
    must(call('HLEN', P .. 'slots:' .. run) == count, 'orphan in the hash of', run)
end
table.sort(lines)
return table.concat(lines)
