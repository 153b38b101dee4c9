-- set_back: the clock was set back. Leases that were given before would last as much longer: those of the dead keep their places,
-- and nobody would miss them for hours. So each that ends later than its length from now on is cut to that, in slices; who is
-- alive renews it long before. `meta` field set_back: `<index> <place>` of the next slice.
--@include lib/grace.lua
--@include lib/pools/due.lua
--@include lib/pools/grants.lua
--@include lib/slices.lua
local SLACK, SLICE = 1000, 20
local NEXT = {running = 'slots', slots = 'waiters'}

-- What happened in what is the future now happened now.
local function cut(key, field, at)
    if at and tonumber(at) > now then
        call('HSET', key, field, NOW)
    end
end

-- How long the lease of a member is.
local LENGTH = {
    running = function(id, expiry, run_lease)
        local f = call('HMGET', P .. 'run:' .. id, 'state', 'lease', 'dequeued_at')
        if f[1] == 'Started' then
            return tonumber(f[2]) or run_lease
        end
        cut(P .. 'run:' .. id, 'dequeued_at', f[3])
        return f[3] and expiry - f[3] or run_lease
    end,
    slots = function(claim)
        local held = grant_of(claim)
        return held and held.lease or 0
    end,
    waiters = function(claim)
        local f = call('HMGET', P .. 'wait:' .. claim, 'since', 'passed_at')
        cut(P .. 'wait:' .. claim, 'since', f[1])
        cut(P .. 'wait:' .. claim, 'passed_at', f[2])
        return PATIENCE
    end,
}

-- One slice. Returns whether more is left to do.
local function leases_cut(place, run_lease)
    local index, at = place:match('^(%S+) (.+)$')
    if (tonumber(call('HGET', P .. 'meta', 'paused_until')) or 0) > now + run_lease then
        call('HSET', P .. 'meta', 'paused_until', num(now + run_lease))
    end
    at = each_slice(P .. index, at, SLICE, function(member, score)
        local expiry = tonumber(score)
        if expiry > now + SLACK then
            local length = LENGTH[index](member, expiry, run_lease)
            if expiry > now + length + SLACK then
                call('ZADD', P .. index, 'XX', num(now + length), member)
            end
        end
    end)
    if at == '0' then
        index = NEXT[index]
    end
    if index then
        call('HSET', P .. 'meta', 'set_back', index .. ' ' .. at)
        return true
    end
    call('HDEL', P .. 'meta', 'set_back')
    return false
end
