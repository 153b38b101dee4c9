-- ending: a run leaves its gates and is final.
--@include lib/queue/gates.lua
--@include lib/events.lua
-- Mostly a run holds no slots, nobody rings for it, and nobody waits for its gates.
local function is_more_to_do(id, lane)
    local slots, bell = P .. 'slots:' .. id, P .. 'wake:' .. id
    if call('EXISTS', slots, bell, P .. 'parked') == 0 then
        return false
    end
    local keys = {slots, bell}
    for gate in lane:gmatch('[^,]+') do
        keys[#keys + 1] = P .. 'parked:' .. gate
    end
    return call('EXISTS', unpack(keys)) > 0
end

-- Ends what an in-progress run holds: its place in `running`, its slots, and its gates, each of which wakes whom it lets in.
local function run_leave(id, lane, capacity_of)
    call('ZREM', P .. 'running', id)
    if capacity_of then
        call('ZREM', P .. 'dequeuer:' .. capacity_of, id)
    end
    for gate in lane:gmatch('[^,]+') do
        gate_leave(gate, id)
    end
    if is_more_to_do(id, lane) then
        --@include lib/pools/leave.lua
        --@include lib/queue/wake.lua
        slots_release_run(id)
        call('DEL', P .. 'wake:' .. id)
        hand_on(lane)
    end
end

-- The run is in a final state from now on; it holds nothing any more.
local function run_final(id, was, state, reason)
    local run = P .. 'run:' .. id
    if reason == '' then
        call('HSET', run, 'state', state, 'ended_at', NOW)
    else
        call('HSET', run, 'state', state, 'ended_at', NOW, 'reason', reason)
    end
    call('ZADD', P .. 'history', NOW, id)
    if was == 'NotStarted' then
        call('HDEL', run, 'waiting_for')
    end
    if was == 'NotStarted' and state == 'Failure' then
        emit('RunLaunchFailed', id, 'reason', reason)
    end
    emit('Run' .. state, id, 'reason', reason)
end

local function run_end(id, was, lane, capacity_of, state, reason)
    run_leave(id, lane, capacity_of)
    run_final(id, was, state, reason)
end
