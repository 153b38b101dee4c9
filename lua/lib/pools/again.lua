-- again: the answer to a claim that asks again, where it takes no more than a look at the claim; nil where it takes more.
--@include lib/grace.lua
--@include lib/pools/grants.lua
--@include lib/pools/full.lua

-- It waits as before, for what is taken.
local function wait_on(claim, attempt, shape, full)
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape')
    if f[1] ~= attempt or f[2] ~= shape or not full[1] or is_any_due('slots') or is_any_due('waiters') then
        return nil
    end
    call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
    return {'WAITING', full_text(full)}
end

-- It holds what it asks.
local function hold_on(claim, attempt, shape, mine)
    local expiry = mine and mine.attempt == attempt and mine.shape == shape and call('ZSCORE', P .. 'slots', claim)
    if not expiry or now >= tonumber(expiry) then
        return nil
    end
    call('ZADD', P .. 'slots', num(now + mine.lease), claim)
    return {'GRANTED', mine.token, num(mine.lease)}
end
