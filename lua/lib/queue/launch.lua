-- launch: the executor of a run is on its way, and has start_timeout ms from the dequeue on to appear.
local function launch_confirm(id, dequeued_at, start_timeout)
    call('HSET', P .. 'run:' .. id, 'launched_at', NOW)
    call('ZADD', P .. 'running', 'XX', num((tonumber(dequeued_at) or now) + start_timeout), id)
end
