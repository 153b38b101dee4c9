#!lua flags=no-writes
-- Looks at one slice of the namespace for what is wrong.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] cursor, '' to begin
-- RETURNS {'OK', next cursor ('' behind the last slice), {what, subject, detail, 'mendable' | 'wrong': operators must}, ...}
--@include lib/open.lua
--@include lib/audit.lua
local cursor = audit(ARGV[2], false)
return {'OK', cursor, unpack(faults)}
