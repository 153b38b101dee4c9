-- hold_on: the answer to a claim that holds what it asks; nil where it does not.
--@include lib/pools/grants.lua
-- known: its grant, as text
local function hold_on(claim, attempt, shape, known)
    local mine = grant_read(known)
    local expiry = mine and mine.attempt == attempt and mine.shape == shape and call('ZSCORE', P .. 'slots', claim)
    if not expiry or now >= tonumber(expiry) then
        return nil
    end
    call('ZADD', P .. 'slots', num(now + mine.lease), claim)
    return {'GRANTED', mine.token, mine.lease}
end
