-- filing: a queued run takes its place in the lane of its gates.
--@include lib/queue/lanes.lua
-- What the record of a queued run says of its lane; `unseen`: that is one of limits which nobody has followed yet.
local function lane_fields(lane)
    if limits_are_followed() then
        return 'gates', lane
    end
    return 'gates', lane, 'unseen', '1'
end

-- Files a run whose record has these fields. Returns whether a head came to `ready`.
local function run_file(id, priority, lane)
    local score = num(0 - priority)
    call('ZADD', P .. 'queue', score, id)
    return lane_put(lane, id, score)
end

local function run_enqueue(id)
    local lane = lane_of(tags_of(id))
    call('HSET', P .. 'run:' .. id, 'state', 'Queued', lane_fields(lane))
    run_file(id, tonumber(call('HGET', P .. 'run:' .. id, 'priority')) or 0, lane)
end
