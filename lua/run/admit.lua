#!lua
-- Admits the best queued runs whose gates all have room; before that, follows changed limits, ends what lost its lease,
-- serves pools, files delayed runs that are due and trims the history, each a bounded piece a call.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] request `<client>:<seq>`, '' for none; [3] dequeuer id; [4] most runs to admit; [5] capacity: the most
--       runs of this dequeuer in progress, '' unlimited; [6] launch lease ms; [7] run lease ms; [8] dequeue interval ms;
--       [9] retention ms; [10] retention runs; [11] the highest token that this dequeuer has seen
-- RETURNS {'OK', more, id, token, attempt, id, token, attempt, ...}; more = '0': nothing is left to do;
--         '1': call again; 'FULL': more could be admitted, but the capacity of this dequeuer is used up
--@include lib/open.lua
--@include lib/bell.lua
--@include lib/queue/run_limits.lua
--@include lib/queue/refile.lua
--@include lib/requests.lua
--@include lib/queue/upkeep.lua
local dequeuer, batch, capacity = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local launch_lease, run_lease, interval = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

local kept = request_answer()
if kept then
    local reply = {'OK', '1'}
    for id, token, attempt in kept:gmatch('(%S+) (%S+) (%S+)') do
        local f = call('HMGET', P .. 'run:' .. id, 'state', 'token')
        if f[1] == 'NotStarted' and f[2] == token then
            reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = id, token, attempt
        end
    end
    return reply
end

local function meta_read()
    return unpack(call('HMGET', P .. 'meta', 'token', 'paused_until', 'swept_at', 'resumed_at', 'set_back'))
end
local token, paused_until, swept_at, resumed_at, set_back = meta_read()
if (tonumber(ARGV[11]) or 0) > (tonumber(token) or 0) then
    --@include lib/history.lua
    history_seen(tonumber(ARGV[11]), run_lease)
    token, paused_until, swept_at, resumed_at, set_back = meta_read()
end

local phase, more = refile(), false
if sweep_allowed(run_lease, interval, tonumber(swept_at), tonumber(resumed_at)) then
    more = sweep()
end
if set_back then
    --@include lib/set_back.lua
    more = leases_cut(set_back, run_lease) or more
end
more = pools() or more
more = promote() or more
more = trim(tonumber(ARGV[9]), tonumber(ARGV[10])) or more

if capacity then
    batch = math.min(batch, capacity - call('ZCARD', P .. 'dequeuer:' .. dequeuer))
end
local admits, reply = (not phase or phase == 'file') and now >= (tonumber(paused_until) or 0), {'OK', '0'}
local function head_room()
    return admits and call('EXISTS', P .. 'ready') == 1 and global_room() or 0
end

local room = math.min(batch, head_room())
if room > 0 then
    --@include lib/queue/admission.lua
    admit_best(room, phase, {dequeuer = dequeuer, expiry = num(now + launch_lease),
        counted = capacity and {'capacity_of', dequeuer} or {}}, reply)
end

if phase or more or head_room() > 0 then
    local full = capacity and call('ZCARD', P .. 'dequeuer:' .. dequeuer) >= capacity
    reply[2] = (full and not phase and not more) and 'FULL' or '1'
    ring(P .. 'bell')
end
if #reply > 2 then
    request_keep(table.concat(reply, ' ', 3))
end
return reply
