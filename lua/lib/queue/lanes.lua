-- lanes: queued runs, filed by the gates they must pass. Only the first of each is looked at: heads.lua.
--@include lib/queue/tags.lua
-- Files a run. Returns whether a head came to `ready`.
local function lane_put(lane, id, score)
    local key = P .. 'lane:' .. lane
    call('ZADD', key, score, id)
    if call('ZRANK', key, id) > 0 then
        return false
    end
    --@include lib/queue/heads.lua
    return head_come(lane, id, score, call('ZRANGE', key, '1', '1')[1])
end

-- Takes a run out of its lane; when it was the head, the next one takes its place.
local function lane_drop(lane, id)
    local key = P .. 'lane:' .. lane
    local top = call('ZRANGE', key, '0', '1', 'WITHSCORES')
    call('ZREM', key, id)
    if top[1] ~= id then
        return
    end
    --@include lib/queue/heads.lua
    head_go(lane, id, top[3], top[4])
end

-- Moves a queued run to the lane of its gates as the limits make them. Returns whether it stood in another one.
local function lane_change(id, lane, score)
    local new = lane_of_run(id)
    if new == lane then
        return false
    end
    lane_drop(lane, id)
    call('HSET', P .. 'run:' .. id, 'gates', new)
    lane_put(new, id, score)
    return true
end
