-- grants: a claim gets its slots. What the keys hold: pools.lua.
--@include lib/names.lua
--@include lib/events.lua

-- Gives the slots. held: `pool=slots` of each limited pool; used: {pool, slots taken then} of each. When there is none, nothing is
-- recorded and nothing ends. until_taken: the claimant has not been told yet and has this long to come for them. Returns the token.
local function grant(claim, attempt, shape, held, used, lease, since, until_taken)
    local run, step = claim:match('^([^/]*)/(.*)$')
    local token = num(call('HINCRBY', P .. 'meta', 'token', '1'))
    if used[1] then
        for pool, slots in held:gmatch('([^,=]+)=(%d+)') do
            call('ZADD', P .. 'pool:' .. pool .. ':holders', slots, claim)
        end
        call('HSET', P .. 'pool_used', unpack(used))
        call('ZADD', P .. 'slots', num(now + (until_taken or lease)), claim)
        call('HSET', P .. 'slots:' .. run, step, 'token=' .. token .. ' lease=' .. num(lease) .. ' attempt=' .. attempt ..
            ' claimed_at=' .. NOW .. ' shape=' .. shape .. ' held=' .. held)
    end
    emit('StepSlotClaimed', run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), 'token', token, 'waited_ms',
        num(now - since))
    return token
end
