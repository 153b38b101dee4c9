#!lua
-- Applies a configuration, item by item, beside what operators set by hand: an item whose value is not the one that was
-- applied last was set by an operator and is kept, unless told to replace it.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] mode: apply | replace | diff (writes nothing) | init (only where nothing was ever applied); then hash,
--       field, value, hash, field, value, ...
-- RETURNS {'OK', row, row, ...}, row = {action, hash, field, live value or '', value of the file or ''}, for each item that
--         is not the same on both sides: set | removed | kept
--         {'EXISTS'}: init, and the namespace has a configuration
--@include lib/open.lua
--@include lib/bell.lua
local mode, applied_key = ARGV[2], P .. 'applied'
if mode == 'init' and call('EXISTS', applied_key) + call('EXISTS', P .. 'config') > 0 then
    return {'EXISTS'}
end

local function mark(value)
    return #value > 64 and 'sha1:' .. redis.sha1hex(value) or value
end

local writes, wanted, reply = mode ~= 'diff', {}, {'OK'}
local function row(action, hash, field, live, value)
    reply[#reply + 1] = {action, hash, field, live or '', value or ''}
end

local function set(hash, field, value)
    local name = hash .. ' ' .. field
    local live, before = call('HGET', P .. hash, field), call('HGET', applied_key, name)
    wanted[name] = true
    local operators = live and live ~= value and (not before or mark(live) ~= before)
    if not live and before and before == mark(value) then
        operators = true -- taken out by hand
    end
    if operators and mode ~= 'replace' then
        row('kept', hash, field, live, value)
        return
    end
    if live ~= value then
        row('set', hash, field, live, value)
    end
    if writes then
        call('HSET', P .. hash, field, value)
        call('HSET', applied_key, name, mark(value))
    end
end

local function drop(name, before)
    local hash, field = name:match('^(%S+) (.*)$')
    local live = call('HGET', P .. hash, field)
    local operators = live and mark(live) ~= before
    if operators and mode ~= 'replace' then
        row('kept', hash, field, live)
    elseif live then
        row('removed', hash, field, live)
        if writes then
            call('HDEL', P .. hash, field)
        end
    end
    if writes then
        call('HDEL', applied_key, name)
    end
end

for i = 3, #ARGV, 3 do
    set(ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
local applied = call('HGETALL', applied_key)
for i = 1, #applied, 2 do
    if not wanted[applied[i]] then
        drop(applied[i], applied[i + 1])
    end
end
if writes then
    call('HSET', P .. 'meta', 'layout', LAYOUT)
    ring(P .. 'bell')
end
return reply
