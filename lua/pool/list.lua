#!lua flags=no-writes
-- All pools.
-- KEYS  [1] prefix
-- ARGV  [1] now
-- RETURNS {'OK', row, row, ...}, row = {name, limit as set, slots claimed, claims waiting, lease ms}, sorted by name
--@include lib/open.lua
--@include lib/pools/pools.lua
local names, reply = call('HKEYS', P .. 'pool_limits'), {'OK'}
table.sort(names)
for _, name in ipairs(names) do
    local pool = escape(name)
    reply[#reply + 1] = {name, call('HGET', P .. 'pool_limits', name), num(pool_used(pool)),
        num(call('ZCARD', P .. 'pool:' .. pool .. ':waiters')), num(pool_lease(pool))}
end
return reply
