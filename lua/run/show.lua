#!lua flags=no-writes
-- One run as it stands.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id
-- RETURNS {'OK', record {field, value, ...}, spec, lease expiry in ms or '', now, waits {step, why, ...}} | {'NOT_FOUND'};
--         waits: the steps that wait for slots, each with the pools that block it
--@include lib/open.lua
--@include lib/pools/pools.lua
local id = ARGV[2]
local record = call('HGETALL', P .. 'run:' .. id)
if #record == 0 then
    return {'NOT_FOUND'}
end
local expiry, waits = call('ZSCORE', P .. 'running', id), {}
local steps = call('HKEYS', P .. 'slots:' .. id)
table.sort(steps)
for _, step in ipairs(steps) do
    local why = wait_reason(id .. '/' .. step)
    if why then
        waits[#waits + 1], waits[#waits + 2] = step, why
    end
end
return {'OK', record, call('GET', P .. 'spec:' .. id) or '', expiry or '', NOW, waits}
