-- filing: a queued run takes its place in the lane of its gates.
--@include lib/queue/lanes.lua
-- Files a run whose record says that it is queued, and by which gates. Returns whether a head came to `ready`.
local function run_file(id, score, lane)
    if not limits_are_followed() then
        call('HSET', P .. 'run:' .. id, 'unseen', '1') -- its lane is one of limits which nobody has followed yet
    end
    return lane_put(lane, id, score)
end

local function score_of(priority)
    return priority == '0' and '0' or num(-(tonumber(priority) or 0))
end

local function run_enqueue(id)
    local run, lane = P .. 'run:' .. id, lane_of_run(id)
    local score = score_of(call('HGET', run, 'priority'))
    call('HSET', run, 'state', 'Queued', 'gates', lane)
    call('ZADD', P .. 'queue', score, id)
    run_file(id, score, lane)
end
