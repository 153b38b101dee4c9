-- grants: a claim gets its slots. What the keys hold: pools.lua.
--@include lib/names.lua
--@include lib/events.lua
local function run_and_step(claim)
    return claim:match('^([^/]*)/(.*)$')
end

-- What the steps of a run hold and wait for is the hash `slots:<run>`, a field for each: `waits`, or its grant,
-- `token=7 lease=300000 attempt=1 claimed_at=1700000000000 shape=db=1,log=2 held=db=1`. This reads one; nil when it is none.
local function grant_read(text)
    local token, lease, attempt, claimed_at, shape, held =
        (text or ''):match('^token=(%d+) lease=(%d+) attempt=(%S*) claimed_at=(%d+) shape=(%S+) held=(%S+)$')
    return token and {token = token, lease = tonumber(lease), attempt = attempt, claimed_at = claimed_at, shape = shape,
        held = held}
end

-- What a claim holds.
local function grant_of(claim)
    local run, step = run_and_step(claim)
    return grant_read(call('HGET', P .. 'slots:' .. run, step))
end

-- Gives the slots. Of limited pools: held, `pool=slots` of all; slots of each; sums, {pool, slots taken then} of each. Where
-- there are none, nothing is recorded and nothing ends. until_taken: the claimant has not been told yet and has this long to come
-- for them. Returns the token.
local function grant(claim, attempt, shape, held, slots, sums, lease, since, until_taken)
    local run, step = run_and_step(claim)
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
