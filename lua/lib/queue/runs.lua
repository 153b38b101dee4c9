-- runs: what several scripts do to a run: it is queued again, is lost, is forgotten.
--@include lib/queue/ending.lua
--@include lib/queue/filing.lua
--@include lib/drift.lua
--@include lib/pools/leave.lua
-- Back to its place in the lane: the same priority, the same id.
local function run_requeue(id, lane, capacity_of, reason)
    run_leave(id, lane, capacity_of)
    call('HDEL', P .. 'run:' .. id, 'dequeued_at', 'launched_at', 'started_at', 'dequeuer', 'executor', 'capacity_of',
        'waiting_for', 'lease')
    run_enqueue(id)
    emit('RunRequeued', id, 'reason', reason)
end

-- The steps that ran when the holder went are lost with it. Returns how many.
local function steps_lost(id)
    local record, count = call('HGETALL', P .. 'run:' .. id), 0
    for i = 1, #record, 2 do
        local attempt, started = record[i + 1]:match('^Started (%d+) (%d+) ')
        if attempt and record[i]:sub(1, 5) == 'step:' then
            local value = table.concat({'Lost', attempt, started, NOW, 'lost'}, ' ')
            call('HSET', P .. 'run:' .. id, record[i], value)
            emit('StepLost', id, 'step', record[i]:sub(6), 'attempt', attempt)
            count = count + 1
        end
    end
    return count
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

-- What becomes of an in-progress run whose holder is gone. Returns how many steps were lost with it.
local function run_lost(id, reason)
    local run = P .. 'run:' .. id
    local f = call('HMGET', run, 'state', 'gates', 'capacity_of', 'cancel_at', 'on_lost', 'max_attempts', 'lost')
    local state, lane, capacity_of = f[1], f[2] or '', f[3]
    local steps = state == 'Started' and steps_lost(id) or 0
    if f[4] then
        run_end(id, state, lane, capacity_of, 'Canceled', reason)
    elseif f[5] == 'requeue' and (tonumber(f[7]) or 0) + 1 < (tonumber(f[6]) or 3) then
        call('HINCRBY', run, 'lost', 1)
        run_requeue(id, lane, capacity_of, reason)
    else
        run_end(id, state, lane, capacity_of, 'Failure', reason)
    end
    return steps
end
