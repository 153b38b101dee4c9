-- runs: the transitions that several scripts share: a run is queued, leaves its gates, ends, is deleted.
--@include lib/lanes.lua
--@include lib/events.lua
--@include lib/drift.lua
local RUN_EVENT = {Success = 'RunSuccess', Failure = 'RunFailure', Canceled = 'RunCanceled'}

-- What the record of a queued run says of its lane; `unseen`: that is one of limits which nobody has followed yet.
local function lane_fields(lane)
    if limits_are_followed() then
        return 'gates', lane
    end
    return 'gates', lane, 'unseen', '1'
end

-- Files a run whose record has these fields. Returns whether a head came to `ready`.
local function run_file(id, priority, lane)
    call('ZADD', P .. 'queue', 0 - priority, id)
    return lane_put(lane, id, 0 - priority)
end

local function run_enqueue(id)
    local lane = lane_of(tags_of(id))
    call('HSET', P .. 'run:' .. id, 'state', 'Queued', lane_fields(lane))
    run_file(id, tonumber(call('HGET', P .. 'run:' .. id, 'priority')), lane)
end

-- A run that ended holds no slots and waits for none. Most never did: what pools are is only made when one did.
local function slots_release_run(run)
    local steps = call('SMEMBERS', P .. 'slots:' .. run)
    if #steps > 0 then
        --@include lib/pools.lua
        slots_release_steps(run, steps)
    end
end

-- Ends what an in-progress run holds: its place in `running`, its slots, and its gates, each of which wakes whom it lets in.
local function run_leave(id, lane, capacity_of)
    call('ZREM', P .. 'running', id)
    slots_release_run(id)
    if capacity_of then
        call('ZREM', P .. 'dequeuer:' .. capacity_of, id)
    end
    for _, gate in ipairs(gates_in(lane)) do
        gate_leave(gate, id)
        wake(gate)
    end
end

-- The run is in a final state from now on; it holds nothing any more.
local function run_final(id, was, state, reason)
    local run = P .. 'run:' .. id
    call('HSET', run, 'state', state, 'ended_at', num(now))
    if reason ~= '' then
        call('HSET', run, 'reason', reason)
    end
    call('ZADD', P .. 'history', num(now), id)
    call('DEL', P .. 'wake:' .. id)
    if was == 'NotStarted' then
        call('HDEL', run, 'waiting_for')
    end
    if was == 'NotStarted' and state == 'Failure' then
        emit('RunLaunchFailed', id, 'reason', reason)
    end
    emit(RUN_EVENT[state], id, 'reason', reason)
end

local function run_end(id, was, lane, capacity_of, state, reason)
    run_leave(id, lane, capacity_of)
    run_final(id, was, state, reason)
end

-- Back to its place in the lane: the same priority, the same id.
local function run_requeue(id, lane, capacity_of, reason)
    run_leave(id, lane, capacity_of)
    call('HDEL', P .. 'run:' .. id, 'dequeued_at', 'launched_at', 'started_at', 'dequeuer', 'executor', 'capacity_of',
        'waiting_for')
    run_enqueue(id)
    emit('RunRequeued', id, 'reason', reason)
end

-- The steps that ran when the holder went are lost with it.
local function steps_lost(id)
    local record = call('HGETALL', P .. 'run:' .. id)
    for i = 1, #record, 2 do
        local attempt, started = record[i + 1]:match('^Started (%d+) (%d+) ')
        if attempt and record[i]:sub(1, 5) == 'step:' then
            local value = table.concat({'Lost', attempt, started, num(now), 'lost'}, ' ')
            call('HSET', P .. 'run:' .. id, record[i], value)
            emit('StepLost', id, 'step', record[i]:sub(6), 'attempt', attempt)
        end
    end
end

-- A run of this index has no record. The gates it may count against are not known here: the doctor finds them.
local function run_forget(index, id)
    for _, key in ipairs({'queue', 'delayed', 'running', 'ready', 'history'}) do
        call('ZREM', P .. key, id)
    end
    call('DEL', P .. 'run:' .. id, P .. 'spec:' .. id, P .. 'wake:' .. id)
    slots_release_run(id)
    drift(index, id)
end

-- What becomes of an in-progress run whose holder is gone.
local function run_lost(id, reason)
    local run = P .. 'run:' .. id
    local f = call('HMGET', run, 'state', 'gates', 'capacity_of', 'cancel_at', 'on_lost', 'max_attempts', 'lost')
    local state, lane, capacity_of = f[1], f[2] or '', f[3]
    if state == 'Started' then
        steps_lost(id)
    end
    if f[4] then
        run_end(id, state, lane, capacity_of, 'Canceled', reason)
    elseif state == 'Started' and f[5] == 'requeue' and (tonumber(f[7]) or 0) + 1 < (tonumber(f[6]) or 3) then
        call('HINCRBY', run, 'lost', 1)
        run_requeue(id, lane, capacity_of, reason)
    else
        run_end(id, state, lane, capacity_of, 'Failure', reason)
    end
end

-- Removes a finished run with all that belongs to it.
local function run_delete(id)
    local run = P .. 'run:' .. id
    local record = call('HGETALL', run)
    if #record == 0 then
        return run_forget('history', id)
    end
    for i = 1, #record, 2 do
        if record[i]:sub(1, 5) == 'step:' then
            call('UNLINK', P .. 'log:' .. id .. '/' .. record[i]:sub(6))
        elseif record[i] == 'key' then
            call('DEL', P .. 'key:' .. record[i + 1])
        end
    end
    call('DEL', run, P .. 'spec:' .. id)
    call('ZREM', P .. 'history', id)
end
