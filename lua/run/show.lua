#!lua flags=no-writes
-- One run as it stands.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id
-- RETURNS {'OK', record {field, value, ...}, spec, lease expiry in ms or '', now} | {'NOT_FOUND'}
--@include lib/open.lua
local record = call('HGETALL', P .. 'run:' .. ARGV[2])
if #record == 0 then
    return {'NOT_FOUND'}
end
local expiry = call('ZSCORE', P .. 'running', ARGV[2])
return {'OK', record, call('GET', P .. 'spec:' .. ARGV[2]) or '', expiry or '', num(now)}
