-- grace: after a gap (see upkeep) no grant ends before its holder had the time of its lease to come back.
local PATIENCE = 30000 -- ms: who waits asks again within this time, and comes within it for what was granted

local resumed_at
local function grace_end(span)
    resumed_at = resumed_at or tonumber(call('HGET', P .. 'meta', 'resumed_at')) or -math.huge
    return resumed_at + span
end

-- expiry: the score in `slots`, false when it is not there
local function is_over(expiry, lease)
    return now >= math.max(tonumber(expiry or 0), grace_end(lease))
end

local function slot_is_over(claim, lease)
    return is_over(call('ZSCORE', P .. 'slots', claim), lease)
end
