-- run_limits: how a limit is read, and the limits of all runs together.
--@include lib/whole.lua
-- A limit that is no whole number >= 0 lets nobody pass: a typing error must not lift a limit.
local function limit_number(text)
    if not text then
        return math.huge
    end
    return whole(text) or 0
end

-- A setting of `config` that limits runs; negative is unlimited.
local MAX_CONCURRENT_RUNS, MAX_QUEUED_RUNS = '10', '-1'
local function run_limit(field, otherwise)
    local text = call('HGET', P .. 'config', field) or otherwise
    if text:find('^-%d+$') then
        return math.huge
    end
    return limit_number(text)
end

-- The global gate.
local function global_room()
    return run_limit('max_concurrent_runs', MAX_CONCURRENT_RUNS) - call('ZCARD', P .. 'running')
end
