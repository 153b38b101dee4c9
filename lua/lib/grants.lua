-- grants: a claim gets its slots. What the keys hold: pools.lua.
--@include lib/names.lua
--@include lib/events.lua

-- Gives the slots. Of limited pools: held, `pool=slots` of all; slots of each; sums, {pool, slots taken then} of each. Where
-- there are none, nothing is recorded and nothing ends. until_taken: the claimant has not been told yet and has this long to come
-- for them. Returns the token.
local function grant(claim, attempt, shape, held, slots, sums, lease, since, until_taken)
    local run, step = claim:match('^([^/]*)/(.*)$')
    local token = num(call('HINCRBY', P .. 'meta', 'token', '1'))
    if slots[1] then
        for i = 1, #slots do
            call('ZADD', P .. 'pool:' .. sums[2 * i - 1] .. ':holders', slots[i], claim)
        end
        call('HSET', P .. 'pool_used', unpack(sums))
        call('ZADD', P .. 'slots', num(now + (until_taken or lease)), claim)
        call('HSET', P .. 'slots:' .. run, step, 'token=' .. token .. ' lease=' .. num(lease) .. ' attempt=' .. attempt ..
            ' claimed_at=' .. NOW .. ' shape=' .. shape .. ' held=' .. held)
    end
    emit('StepSlotClaimed', run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), 'token', token, 'waited_ms',
        num(now - since))
    return token
end
