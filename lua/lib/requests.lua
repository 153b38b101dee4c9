-- requests: a call that a lost connection made the client send twice answers the second time as it did the first.
-- A request is `<client>:<seq>`: client is random for each process, seq grows by one; the last 64 answers are kept.
local function request_split(request)
    local client, seq = request:match('^(.*):(%d+)$')
    return P .. 'request:' .. client, tostring(seq % 64), seq
end

local function request_answer(request)
    local key, slot, seq = request_split(request)
    local kept = call('HGET', key, slot)
    if kept then
        local kept_seq, answer = kept:match('^(%d+) (.*)$')
        return kept_seq == seq and answer
    end
end

local function request_keep(request, answer)
    local key, slot, seq = request_split(request)
    call('HSET', key, slot, seq .. ' ' .. answer)
    call('PEXPIRE', key, '600000')
end
