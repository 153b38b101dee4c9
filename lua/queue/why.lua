#!lua flags=no-writes
-- Why a run waits.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id
-- RETURNS {'OK', position, total, lane position, lane total, lane, gate, gate, ...} (positions from 1), each gate that blocks
--         = {name ('' the global one), current, limit, text as set, up to 10 ids of runs that hold it, ...}
--         {'DELAYED', not_before} | {'LAUNCHED', what its executor waits for} | {'NOT_QUEUED', state} | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/queue/reasons.lua
--@include lib/queue/tags.lua
local id = ARGV[2]
local f = call('HMGET', P .. 'run:' .. id, 'state', 'not_before', 'waiting_for')
if not f[1] then
    return {'NOT_FOUND'}
elseif f[3] then
    return {'LAUNCHED', f[3]}
elseif f[1] ~= 'Queued' then
    return {'NOT_QUEUED', f[1]}
elseif f[2] then
    return {'DELAYED', f[2]}
end

-- The gates of this moment, also while the queue is being refiled after a change of the limits.
local stands, lane = call('HGET', P .. 'run:' .. id, 'gates') or '', lane_of_run(id)
local reply = {'OK',
    num((call('ZRANK', P .. 'queue', id) or 0) + 1), num(call('ZCARD', P .. 'queue')),
    num((call('ZRANK', P .. 'lane:' .. stands, id) or 0) + 1), num(call('ZCARD', P .. 'lane:' .. stands)), lane}
for _, blocked in ipairs(blocking_gates(lane)) do
    local name, holders, text = blocked[1], P .. 'running', nil
    if name == '' then
        text = call('HGET', P .. 'config', 'max_concurrent_runs') or MAX_CONCURRENT_RUNS
    else
        local key = name:match('^([^=]*)=')
        holders = P .. 'gate:' .. (key and escape(key) .. '=' .. escape(name:sub(#key + 2)) or escape(name))
        local one, each = limits[name], key and limits[key .. '=*']
        text = (not one or (each and limit_number(each) < limit_number(one))) and each or one
    end
    blocked[4] = text
    for _, holder in ipairs(call('ZRANGE', holders, 0, 9)) do
        blocked[#blocked + 1] = holder
    end
    reply[#reply + 1] = blocked
end
return reply
