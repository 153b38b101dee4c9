#!lua flags=no-writes
-- The configuration as it is in force.
-- KEYS  [1] prefix
-- ARGV  [1] now
-- RETURNS {'OK', config, tag_limits, pool_limits, jobs}, each {field, value, ...}
--@include lib/open.lua
local reply = {'OK'}
for _, hash in ipairs({'config', 'tag_limits', 'pool_limits', 'jobs'}) do
    reply[#reply + 1] = call('HGETALL', P .. hash)
end
return reply
