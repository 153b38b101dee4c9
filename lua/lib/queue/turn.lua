-- turn: of many dequeuers that wait, one at a time looks whether anything is due.
--@include lib/requests.lua
local TURN = 100 -- ms: as exactly is it remembered when somebody looked

-- Whether another one has just looked, nothing is ready, and this server has neither lost what the caller has seen nor kept an
-- answer for it.
local function is_looked_after(seen)
    local f = call('HMGET', P .. 'meta', 'swept_at', 'token')
    local looked_at = tonumber(f[1])
    return looked_at and now >= looked_at and now < looked_at + TURN and (tonumber(seen) or 0) <= (tonumber(f[2]) or 0) and
        call('EXISTS', P .. 'ready') == 0 and not request_answer()
end
