-- again: the answer to a claim that waits and asks again, where it takes no more than a look at it; nil where it takes more.
--@include lib/pools/due.lua
--@include lib/pools/full.lua
-- full: the pools that have too little left
local function wait_on(claim, attempt, shape, full)
    local f = call('HMGET', P .. 'wait:' .. claim, 'attempt', 'shape')
    if f[1] ~= attempt or f[2] ~= shape or not full[1] or is_any_due('slots') or is_any_due('waiters') then
        return nil
    end
    call('ZADD', P .. 'waiters', num(now + PATIENCE), claim)
    return {'WAITING', full_text(full)}
end
