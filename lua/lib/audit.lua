-- audit: looks at a namespace in slices, key by key, for what cannot be when only scripts write: each rule compares one record or
-- one member with what must stand beside it. With `mends` it is put right.
--@include lib/pools/pools.lua
--@include lib/queue/heads.lua
--@include lib/queue/runs.lua
--@include lib/queue/run_limits.lua
local SLICE = 50
local faults = {}

-- A fault, and how it is put right; mend nil: only operators can.
local function fault(mends, what, subject, detail, mend)
    faults[#faults + 1] = {what, subject, detail, mend and 'mendable' or 'wrong'}
    if mends and mend then
        mend()
        drift(what, subject:match('^[^/]*'), 'detail', detail)
    end
end

local INDEX_OF = {Queued = 'queue', NotStarted = 'running', Started = 'running', Success = 'history', Failure = 'history',
    Canceled = 'history'}

local function is_in(key, member)
    return call('ZSCORE', P .. key, member) ~= false
end

local function in_order(id)
    return call('ZRANGE', P .. 'lane:' .. (call('HGET', P .. 'run:' .. id, 'gates') or ''), '0', '0')[1] == id
end

-- Puts a run into the one index of its state.
local function run_place(id, f)
    local lane, gate = f[2] or '', call('HGET', P .. 'run:' .. id, 'parked')
    if gate then
        parked_drop(gate, id)
    end
    for _, key in ipairs({'queue', 'delayed', 'running', 'history', 'ready', 'lane:' .. lane}) do
        call('ZREM', P .. key, id)
    end
    if f[1] == 'Queued' then
        run_enqueue(id)
    elseif INDEX_OF[f[1]] == 'running' then
        call('ZADD', P .. 'running', num(now + 30000), id)
    else
        call('ZADD', P .. 'history', f[4] or NOW, id)
    end
end

local function check_run(mends, id)
    local f = call('HMGET', P .. 'run:' .. id, 'state', 'gates', 'priority', 'ended_at')
    if not INDEX_OF[f[1] or ''] then
        return fault(mends, 'run', id, 'its record has no state', function() run_forget('run', id) end)
    end
    local found = {}
    for _, index in ipairs({'queue', 'delayed', 'running', 'history'}) do
        if is_in(index, id) then
            found[#found + 1] = index
        end
    end
    local index = found[1] == 'delayed' and 'queue' or found[1]
    if #found ~= 1 or index ~= INDEX_OF[f[1]] then
        local where = #found == 0 and 'no index' or table.concat(found, ', ')
        fault(mends, 'run', id, f[1] .. ' and in ' .. where, function() run_place(id, f) end)
    elseif index == 'queue' and found[1] == 'queue' and not is_in('lane:' .. (f[2] or ''), id) then
        fault(mends, 'run', id, 'queued outside of its lane', function() run_place(id, f) end)
    elseif index == 'running' then
        for _, gate in ipairs(gates_in[f[2] or '']) do
            if not is_in('gate:' .. gate, id) then
                fault(mends, 'gate', id, 'not counted by ' .. gate, function()
                    gate_enter(gate, id)
                    usage_of[gate] = nil
                end)
            end
        end
    end
end

local function check_text(kind, mends, name)
    local id = name:match('^[^/]*')
    if kind == 'key' then
        id = call('GET', P .. 'key:' .. name)
    end
    if call('EXISTS', P .. 'run:' .. id) == 0 then
        fault(mends, kind, name, 'belongs to no run', function() call('DEL', P .. kind .. ':' .. name) end)
    end
end

-- Where a waiter must stand among those of its shape.
local function check_wait(mends, claim)
    local f = call('HMGET', P .. 'wait:' .. claim, 'shape', 'arrival', 'priority')
    local shape, arrival, priority = f[1], tonumber(f[2]), tonumber(f[3])
    if shape and arrival and priority and not is_in('shape:' .. shape, line_member(arrival, claim)) then
        fault(mends, 'wait', claim, 'not among those of its shape', function()
            shape_line(shape, first_member(shape), 'ZADD', num(0 - priority), line_member(arrival, claim))
        end)
    end
end

local function check_claim(kind, index, mends, claim)
    if not is_in(index, claim) then
        fault(mends, kind, claim, 'not in ' .. index, function() call('ZADD', P .. index, NOW, claim) end)
    end
end

-- Members of sorted sets: what is wrong with one, or nil; and what else than taking it out is to be done.
local function not_in_progress(id, gate)
    local f = call('HMGET', P .. 'run:' .. id, 'gates')
    if not is_in('running', id) then
        return 'counts a run that is not in progress'
    end
    return gate and not (',' .. (f[1] or '') .. ','):find(',' .. gate .. ',', 1, true) and 'counts a run of other gates'
end

local function no_run(id)
    return call('HEXISTS', P .. 'run:' .. id, 'state') == 0 and 'has a run without a record'
end

local function no_grant(claim)
    return not grant_of(claim) and 'has a claim without a grant'
end

local function no_wait(claim)
    return call('HEXISTS', P .. 'wait:' .. claim, 'shape') == 0 and 'has a claim without a record'
end

-- A head in the line of a pool: its shape stands there as its first waiter does.
local function no_shape(member)
    local first = first_member(line_name(member))
    return (not first or first:sub(1, 16) ~= member:sub(1, 16)) and 'has a shape that nobody waits in'
end

local function no_waiter(member)
    return no_wait(line_name(member))
end

local function parked_on(id)
    return call('HGET', P .. 'run:' .. id, 'parked')
end

local function no_head(id)
    return not in_order(id) and 'has a run that is not the first of its lane'
end

local function forget_run(index)
    return function(id) run_forget(index, id) end
end

local function forget_claim(index)
    return function(claim)
        local freed = {}
        claim_forget(index, claim, freed)
        serve(freed)
    end
end

local function take_out(key)
    return function(member) call('ZREM', P .. key, member) end
end

-- Rules of a sorted set by its name: {check(member, rest of the name), mend(member)}
local function zset_rule(name)
    local kind, rest = name:match('^([^:]*):?(.*)$')
    if name == 'queue' or name == 'delayed' or name == 'running' or name == 'history' then
        return no_run, forget_run(name)
    elseif name == 'slots' or name == 'waiters' then
        return name == 'slots' and no_grant or no_wait, forget_claim(name)
    elseif kind == 'lane' then
        return function(id) return no_run(id) or not is_in('queue', id) and 'has a run that is not queued' end, function(id)
            lane_drop(rest, id)
        end
    elseif name == 'ready' then
        return function(id) return no_head(id) or parked_on(id) and 'has a run that is parked' end, take_out(name)
    elseif kind == 'parked' and rest ~= '' then
        return function(id) return no_head(id) or parked_on(id) ~= rest and 'has a run that is not parked on it' end,
            take_out(name)
    elseif kind == 'gate' then
        return function(id) return not_in_progress(id, rest) end, function(id)
            gate_leave(rest, id)
            usage_of[rest] = nil
            wake(rest)
        end
    elseif kind == 'dequeuer' then
        return not_in_progress, take_out(name)
    elseif kind == 'pool' and rest:match(':holders$') then
        return no_grant, forget_claim(name)
    elseif kind == 'pool' and rest:match(':waiters$') then
        return no_waiter, take_out(name)
    elseif kind == 'pool' and rest:match(':shapes$') then
        return no_shape, function(member)
            shape_forget(member)
            serve({rest:match('^(.*):shapes$')})
        end
    elseif kind == 'shape' then
        return no_waiter, function(member) shape_line(rest, first_member(rest), 'ZREM', member) end
    end
end

-- Of a pool, what is said to be used against the sum of what is held.
local function check_sum(mends, pool, sum)
    local text = call('HGET', P .. 'pool_used', pool)
    if (text or '0') ~= num(sum) then
        fault(mends, 'pool', pool, (text or '0') .. ' slots used, ' .. num(sum) .. ' held', function()
            known_used[pool] = sum
            if sum == 0 then
                call('HDEL', P .. 'pool_used', pool)
            else
                call('HSET', P .. 'pool_used', pool, num(sum))
            end
        end)
    end
end

-- A limit that cannot be read lets nobody pass.
local LIMITS = {tag_limits = 'a whole number', pool_limits = 'a whole number, -1 for none'}
local function check_limits(mends, name)
    local flat = call('HGETALL', P .. name)
    for i = 1, #flat, 2 do
        local field, text = flat[i], flat[i + 1]
        local is_limit = LIMITS[name] or field == 'max_concurrent_runs' or field == 'max_queued_runs'
        if is_limit and not (whole(text) or (name ~= 'tag_limits' and text:find('^-%d+$'))) then
            fault(mends, 'limit', name .. ' ' .. field, "'" .. text .. "' is no limit and lets nobody pass: set it to " ..
                (LIMITS[name] or LIMITS.pool_limits))
        end
    end
end

-- What holds for a sorted set as a whole.
local function check_whole(mends, name)
    local lane, pool, gate = name:match('^lane:(.*)$'), name:match('^pool:(.*):holders$'), name:match('^parked:(.*)$')
    if gate and call('EXISTS', P .. name) == 1 and not is_in('parked', gate) then
        fault(mends, 'parked', gate, 'has heads that no change of its limit would wake', function()
            call('ZADD', P .. 'parked', '0', gate)
            wake(gate)
        end)
    end
    if lane then
        local head = call('ZRANGE', P .. name, '0', '0', 'WITHSCORES')
        local on = head[1] and call('HGET', P .. 'run:' .. head[1], 'parked')
        if head[1] and not is_in('ready', head[1]) and not (on and is_in('parked:' .. on, head[1])) then
            fault(mends, 'lane', lane, 'its first run is no candidate', function()
                if on then
                    parked_drop(on, head[1])
                end
                call('ZADD', READY, head[2], head[1])
            end)
        end
    elseif pool then
        local flat, sum = call('ZRANGE', P .. name, 0, -1, 'WITHSCORES'), 0
        for i = 2, #flat, 2 do
            sum = sum + flat[i]
        end
        check_sum(mends, pool, sum)
    end
end

-- The steps of a run that hold or wait.
local function check_steps(mends, run)
    local steps = call('HGETALL', P .. 'slots:' .. run)
    for i = 1, #steps, 2 do
        local step, text = steps[i], steps[i + 1]
        local claim = run .. '/' .. step
        if grant_read(text) then
            check_claim('slot', 'slots', mends, claim)
        elseif text ~= 'waits' or no_wait(claim) then
            fault(mends, 'slots', claim, 'neither holds nor waits', function() call('HDEL', P .. 'slots:' .. run, step) end)
        end
    end
end

local function check_used(mends)
    for _, pool in ipairs(call('HKEYS', P .. 'pool_used')) do
        if call('EXISTS', P .. 'pool:' .. pool .. ':holders') == 0 then
            check_sum(mends, pool, 0)
        end
    end
end

local function check_key(mends, name, pending)
    local kind, rest = name:match('^([^:]+):?(.*)$')
    if kind == 'run' then
        check_run(mends, rest)
    elseif kind == 'spec' or kind == 'log' or kind == 'key' then
        check_text(kind, mends, rest)
    elseif kind == 'wait' then
        check_claim(kind, 'waiters', mends, rest)
        check_wait(mends, rest)
    elseif kind == 'slots' and rest ~= '' then
        check_steps(mends, rest)
    elseif LIMITS[name] or name == 'config' then
        check_limits(mends, name)
    elseif name == 'pool_used' then
        check_used(mends)
    elseif zset_rule(name) then
        pending[#pending + 1] = name
    end
end

-- One slice of the members of the first pending set.
local function audit_set(mends, inner, pending)
    local name = pending[1]
    local broken, mend = zset_rule(name)
    local answer = call('ZSCAN', P .. name, inner, 'COUNT', SLICE)
    for i = 1, #answer[2], 2 do
        local member = answer[2][i]
        local detail = broken(member)
        if detail then
            fault(mends, name, member, detail, function() mend(member) end)
        end
    end
    if answer[1] == '0' then
        check_whole(mends, name)
        table.remove(pending, 1)
    end
    return answer[1]
end

-- cursor: '' to begin, what the last slice returned to go on; returns '' behind the last slice.
local function audit(cursor, mends)
    local pending, scan, inner = {}, '0', '0'
    for line in cursor:gmatch('[^\n]+') do
        pending[#pending + 1] = line
    end
    if cursor ~= '' then
        scan, inner = table.remove(pending, 1), table.remove(pending, 1)
    end
    if #pending > 0 then
        inner = audit_set(mends, inner, pending)
    else
        local answer = call('SCAN', scan, 'MATCH', P:gsub('[%[%]*?\\]', '\\%0') .. '*', 'COUNT', SLICE)
        scan = answer[1]
        for _, key in ipairs(answer[2]) do
            check_key(mends, key:sub(#P + 1), pending)
        end
        scan = scan == '0' and 'end' or scan
    end
    if scan == 'end' and #pending == 0 then
        return ''
    end
    return table.concat({scan, inner, unpack(pending)}, '\n')
end
