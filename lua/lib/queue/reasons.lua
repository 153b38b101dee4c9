-- reasons: why a queued run waits, from the live state.
--@include lib/queue/room.lua

-- {{gate, current, limit}, ...} of every gate without room; gate '' is the global one. A limit that cannot be read is 0.
local function blocking_gates(lane)
    local blocked, most = {}, run_limit('max_concurrent_runs', MAX_CONCURRENT_RUNS)
    local current = call('ZCARD', P .. 'running')
    if current >= most then
        blocked[1] = {'', num(current), num(most)}
    end
    for _, gate in ipairs(gates_in[lane]) do
        if room_of(gate) <= 0 then
            blocked[#blocked + 1] = {unescape(gate), num(usage_of[gate]), num(limit_of[gate])}
        end
    end
    return blocked
end

local function reason_text(blocked)
    local words = {}
    for i, b in ipairs(blocked) do
        local name = b[1] == '' and 'global run limit' or 'tag limit: ' .. b[1]
        words[i] = name .. ' (' .. b[2] .. '/' .. b[3] .. ')'
    end
    return table.concat(words, '; ')
end
