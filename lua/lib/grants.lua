-- grants: a claim gets its slots. What the keys hold: pools.lua.
--@include lib/shapes.lua
local function pool_take(pool, slots)
    pool_used[pool] = call('HINCRBY', P .. 'pool_used', pool, slots)
    if pool_used[pool] == 0 then
        call('HDEL', P .. 'pool_used', pool)
    end
end

-- Gives the slots. until_taken: the claimant has not been told yet and has this long to come for them. Returns the token and
-- the lease, '0' when only unlimited pools were asked: then nothing is recorded and nothing ends.
local function grant(claim, attempt, shape, since, until_taken)
    local token, held = num(call('HINCRBY', P .. 'meta', 'token', '1')), limited_part(shape)
    local lease = held == '' and 0 or shape_lease(shape)
    if held ~= '' then
        local run, step = run_and_step(claim)
        for _, part in ipairs(parts_of[held]) do
            pool_take(part[1], part[2])
            call('ZADD', P .. 'pool:' .. part[1] .. ':holders', part[2], claim)
        end
        call('HSET', P .. 'slots:' .. run, step, grant_text(token, lease, attempt, shape, held))
        call('ZADD', P .. 'slots', num(now + (until_taken or lease)), claim)
    end
    emit_claim('StepSlotClaimed', claim, attempt, shape, 'token', token, 'waited_ms', num(now - since))
    return token, num(lease)
end
