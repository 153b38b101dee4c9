-- grants: what claims hold. What the keys hold: pools.lua.
--@include lib/pools/claims.lua
-- What the steps of a run hold and wait for is the hash `slots:<run>`, a field for each: `waits`, or its grant,
-- `token=7 lease=300000 attempt=1 claimed_at=1700000000000 shape=db=1,log=2 held=db=1`. This reads one; nil when it is none.
local function grant_read(text)
    local token, lease, attempt, claimed_at, shape, held =
        (text or ''):match('^token=(%d+) lease=(%d+) attempt=(%S*) claimed_at=(%d+) shape=(%S+) held=(%S+)$')
    return token and {token = token, lease = lease, attempt = attempt, claimed_at = claimed_at, shape = shape,
        held = held}
end

-- What a claim holds, and whose it is.
local function grant_of(claim)
    local run, step = run_and_step(claim)
    local grant = grant_read(call('HGET', P .. 'slots:' .. run, step))
    if grant then
        grant.run, grant.step = run, step
    end
    return grant
end
