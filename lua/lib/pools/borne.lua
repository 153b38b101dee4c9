-- borne: whether all who wait for some pools were passed before, and not for too long: then another may pass them, when nothing
-- has ended, or changed for them.
--@include lib/pools/members.lua
--@include lib/pools/bypass.lua
--@include lib/pools/seen.lua
--@include lib/pools/due.lua
local function is_borne(pools, limits)
    for _, pool in ipairs(pools) do
        for _, head in ipairs(call('ZRANGE', P .. 'pool:' .. pool .. ':shapes', '0', AHEAD_LAST)) do
            local first = first_waiter(line_name(head))
            local passed_at = first and call('HGET', P .. 'wait:' .. first, 'passed_at')
            if not passed_at or now >= passed_at + pool_bypass(pool) then
                return false
            end
        end
    end
    return not is_any_due('slots') and not is_any_due('waiters') and call('EXISTS', P .. 'pools_due') == 0 and
        not limits_changed(pools, limits)
end
