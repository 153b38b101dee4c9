#!lua flags=no-writes
-- A page of runs: those in progress, then the queued (in order, the delayed behind them), then the finished, latest first.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] cursor `<index> <offset>`, '' to begin; [3] most rows; [4] state, '' for any; [5] job, '' for any; then
--       tag key, tag value, ... that the run must carry
-- RETURNS {'OK', next cursor ('' at the end), row, row, ...}, row = {id, field, value, ...}; a call looks at 200 runs at most
--@include lib/open.lua
local LOOK = 200
local index, offset = (ARGV[2] == '' and '1 0' or ARGV[2]):match('^(%d+) (%d+)$')
index, offset = tonumber(index), tonumber(offset)
local most, state, job = tonumber(ARGV[3]), ARGV[4], ARGV[5]
local INDEXES = {
    {key = 'running', states = {NotStarted = true, Started = true}},
    {key = 'queue', states = {Queued = true}},
    {key = 'delayed', states = {Queued = true}},
    {key = 'history', states = {Success = true, Failure = true, Canceled = true}, latest_first = true},
}

local function matches(record)
    if (state ~= '' and record.state ~= state) or (job ~= '' and record.job ~= job) then
        return false
    end
    for i = 6, #ARGV, 2 do
        if record['tag:' .. ARGV[i]] ~= ARGV[i + 1] then
            return false
        end
    end
    return true
end

local reply, looked = {'OK', ''}, 0
while INDEXES[index] and looked < LOOK and #reply - 2 < most do
    local source = INDEXES[index]
    local wanted = state == '' or source.states[state]
    local ids = {}
    if wanted then
        local last = num(offset + LOOK - looked - 1)
        ids = call(source.latest_first and 'ZREVRANGE' or 'ZRANGE', P .. source.key, num(offset), last)
    end
    for _, id in ipairs(ids) do
        if #reply - 2 >= most then
            break
        end
        local flat, record = call('HGETALL', P .. 'run:' .. id), {}
        for i = 1, #flat, 2 do
            record[flat[i]] = flat[i + 1]
        end
        if record.state and matches(record) then
            table.insert(flat, 1, id)
            reply[#reply + 1] = flat
        end
        looked, offset = looked + 1, offset + 1
    end
    if looked < LOOK and #reply - 2 < most then
        index, offset = index + 1, 0
    end
end
if INDEXES[index] then
    reply[2] = index .. ' ' .. offset
end
return reply
