-- due: whether grants or waiters were not renewed in time.
local PATIENCE = 30000 -- ms: who waits asks again within this time, and comes within it for what was granted

-- index: slots or waiters
local function is_any_due(index)
    return call('ZCOUNT', P .. index, '-inf', NOW) > 0
end
