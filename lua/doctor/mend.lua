#!lua flags=allow-oom
-- Looks at one slice of the namespace, as doctor/audit, and puts right what is wrong; each with an event DriftRepaired.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] cursor, '' to begin
-- RETURNS {'OK', next cursor ('' behind the last slice), {what, subject, detail, 'mendable' | 'wrong': operators must}, ...}
--@include lib/open.lua
--@include lib/audit.lua
local cursor = audit(ARGV[2], true)
if #faults > 0 then
    ring(P .. 'bell')
end
return {'OK', cursor, unpack(faults)}
