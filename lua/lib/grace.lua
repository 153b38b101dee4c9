-- grace: no grant ends before its holder had the time of its lease to come back after a gap, in which the server, the fleet or the
-- clock stood still or jumped. `meta` has the last one that an admission has seen (upkeep.lua). Before that, whoever may end a
-- grant sees that the last sweep is long past: the clock has jumped, and the next admission is to look, or there is no dequeuer.
-- `unswept` in `meta` is `<the last sweep> <when this was noticed>`; a lease later grants end all the same.
local GAP = 15000 -- ms: a sweep that was before this, or before half a lease, is long past

local resumed_at, swept_at, unswept
local function sweeps_read()
    local f = call('HMGET', P .. 'meta', 'resumed_at', 'swept_at', 'unswept')
    resumed_at, swept_at, unswept = tonumber(f[1]) or -math.huge, tonumber(f[2]) or math.huge, f[3] or ''
end

local function unswept_since()
    local last, noticed_at = unswept:match('^(%d+) (%d+)$')
    if tonumber(last) ~= swept_at then
        noticed_at, unswept = now, num(swept_at) .. ' ' .. NOW
        call('HSET', P .. 'meta', 'unswept', unswept)
    end
    return tonumber(noticed_at)
end

-- The end of the grace after the last gap.
local function grace_end(span)
    if not resumed_at then
        sweeps_read()
    end
    return resumed_at + span
end

local function in_grace(span)
    return now < grace_end(span) or (now > swept_at + math.min(GAP, span / 2) and now < unswept_since() + span)
end

-- expiry: the score in `slots`, false when it is not there
local function is_over(expiry, lease)
    return now >= tonumber(expiry or 0) and not in_grace(lease)
end

local function slot_is_over(claim, lease)
    return is_over(call('ZSCORE', P .. 'slots', claim), lease)
end
