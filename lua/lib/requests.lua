-- requests: a call that a lost connection made the client send twice answers the second time as it did the first. The request of
-- a call is ARGV[2], `<client>:<seq>`, or '' for none: client is random for each process, seq grows by one; the last 64 answers
-- are kept.
local client, seq = ARGV[2]:match('^(.*):(%d+)$')
local answers, slot = client and P .. 'request:' .. client, client and num(seq % 64)

local function request_answer()
    local kept = client and call('HGET', answers, slot)
    if kept then
        local kept_seq, answer = kept:match('^(%d+) (.*)$')
        return kept_seq == seq and answer
    end
end

local function request_keep(answer)
    if client then
        call('HSET', answers, slot, seq .. ' ' .. answer)
        call('PEXPIRE', answers, '600000')
    end
end
