-- slices: a sorted set is walked a slice a call. A cursor of ZSCAN means something only to the process that gave it, so the place
-- is `<cursor> <run_id of the server>`: after a restart or a fail-over the walk begins anew.
-- place: '0' to begin. Returns the next one, '0' at the end. What is there all the while is visited at least once.
local function each_slice(key, place, count, visit)
    local server = call('INFO', 'server'):match('run_id:(%x+)')
    local cursor, of = place:match('^(%d+) (%x+)$')
    local answer = call('ZSCAN', key, of == server and cursor or '0', 'COUNT', count)
    for i = 1, #answer[2], 2 do
        visit(answer[2][i], answer[2][i + 1])
    end
    return answer[1] == '0' and '0' or answer[1] .. ' ' .. server
end
