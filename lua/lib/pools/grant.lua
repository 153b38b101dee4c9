-- grant: a claim gets its slots. What the keys hold: pools.lua.
--@include lib/names.lua
--@include lib/events.lua
--@include lib/pools/claims.lua
-- held: `pool=slots` of the limited pools; pools, slots: the same one by one. Where there are none, nothing is recorded; else the
-- slots are counted and the claim is in `slots` already, for who gives them knows until when. lease, waited_ms: text. Returns the
-- token.
local function grant(claim, attempt, shape, held, pools, slots, lease, waited_ms)
    local run, step = run_and_step(claim)
    local token = num(call('HINCRBY', P .. 'meta', 'token', '1'))
    for i = 1, #pools do
        call('ZADD', P .. 'pool:' .. pools[i] .. ':holders', slots[i], claim)
    end
    if pools[1] then
        call('HSET', P .. 'slots:' .. run, step, 'token=' .. token .. ' lease=' .. lease .. ' attempt=' .. attempt ..
            ' claimed_at=' .. NOW .. ' shape=' .. shape .. ' held=' .. held)
    end
    emit('StepSlotClaimed', run, 'step', step, 'attempt', attempt, 'pools', unescape(shape), 'token', token, 'waited_ms',
        waited_ms)
    return token
end
