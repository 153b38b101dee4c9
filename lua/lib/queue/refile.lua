-- refile: follows a change of `tag_limits`, however it was made, in slices; the hash `refile` remembers how far it came.
--
--   numbers changed             wake: every gate with parked heads and room gets a candidate           then done
--   limits added or removed     count: in-progress runs enter and leave gates ─> wake_file: as wake ─> file: queued
--                               runs move to their new lanes                                           then done
--
-- During count and wake nothing is admitted, and during file the head of a lane only after its gates were compared with the
-- limits (lane_change): so the new limits hold exactly from the first admission on. A run that was filed while the limits
-- were others for a moment, between two looks, says so (`unseen`) and is compared as well.
--@include lib/queue/limits.lua

-- One slice of what is to be done. Returns the phase that remains, or false.
local function refile()
    if not limits_flat then
        limits_load()
    end
    followed = true
    local state = call('HMGET', P .. 'refile', 'seen', 'phase', 'cursor')
    local seen, phase, cursor = state[1] or '', state[2], state[3]
    local text = table.concat(limits_flat, '\n')
    if seen == text and not phase then
        return false
    end
    --@include lib/queue/phases.lua
    if seen ~= text then
        local names = names_of(limits_flat)
        local same = (call('HGET', P .. 'refile', 'names') or '') == names
        phase, cursor = (same and (not phase or phase == 'wake')) and 'wake' or 'count', '0'
        call('HSET', P .. 'refile', 'seen', text, 'names', names, 'phase', phase, 'cursor', cursor)
    end
    cursor = PHASES[phase].slice(cursor)
    if cursor == '0' then
        phase = PHASES[phase].next
    end
    if phase then
        call('HSET', P .. 'refile', 'phase', phase, 'cursor', cursor)
    else
        call('HDEL', P .. 'refile', 'phase', 'cursor')
    end
    return phase
end
