-- grant: what a claim got is recorded, and told. What the keys hold: pools.lua.
--@include lib/names.lua
--@include lib/events.lua
-- held: `pool=slots` of the limited pools, '' where there are none: then nothing is recorded. Else who gives the slots has put the
-- claim where it counts: `slots`, for it knows until when, and `pool_used` and the holders of each pool. lease, waited_ms: text.
-- Returns the token.
local function grant(run, step, attempt, shape, held, lease, waited_ms)
    local token = num(call('HINCRBY', P .. 'meta', 'token', '1'))
    if held ~= '' then
        call('HSET', P .. 'slots:' .. run, step, 'token=' .. token .. ' lease=' .. lease .. ' attempt=' .. attempt ..
            ' claimed_at=' .. NOW .. ' shape=' .. shape .. ' held=' .. held)
    end
    emit('StepSlotClaimed', run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), 'token', token, 'waited_ms',
        waited_ms)
    return token
end
