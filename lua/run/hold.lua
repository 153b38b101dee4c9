#!lua flags=allow-oom
-- A dequeuer keeps what a run holds whose executor is gone, as long as something of it still runs: the lease of the run, and
-- those of its slots that have not ended.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run lease ms; [3] run id; [4] token
-- RETURNS {'OK'} | {'STALE'}: the run is no longer in progress under this token
--@include lib/open.lua
--@include lib/grace.lua
local id = ARGV[3]
local f = call('HMGET', P .. 'run:' .. id, 'state', 'token')
if f[1] ~= 'Started' or f[2] ~= ARGV[4] then
    return {'STALE'}
end
call('ZADD', P .. 'running', 'XX', num(now + tonumber(ARGV[2])), id)
for _, step in ipairs(call('SMEMBERS', P .. 'slots:' .. id)) do
    local claim = id .. '/' .. step
    local lease = call('HGET', P .. 'slot:' .. claim, 'lease')
    if lease and not slot_is_over(claim, lease) then
        call('ZADD', P .. 'slots', 'XX', num(now + lease), claim)
    end
end
return {'OK'}
