-- due: how long who waits may be silent, and whether anybody was for too long.
local PATIENCE = 30000 -- ms: who waits asks again within this time, and comes within it for what was granted

-- Whether there are grants or waiters, `slots` or `waiters`, that were not renewed in time.
local function is_any_due(index)
    return call('ZCOUNT', P .. index, '-inf', NOW) > 0
end
