-- steps: the states of a run's steps, one field each: `step:<name>` = "<state> <attempt> <started_at> <ended_at> <how>".
-- how: `exit:<code>`, `signal:<number>` or a word such as `timeout`; while it is Started why it does not run yet, or '-'.
-- A report in ARGV is five values: step, event, state, attempt, how.
--@include lib/events.lua

-- Reports may come twice. Attempts grow, and each goes from Started over Retrying to a final state; a skipped step is
-- reported without an attempt.
local ORDER = {Started = 1, Retrying = 2}
local function is_news(was, at, before, state, attempt, how)
    if at == attempt then
        return state == 'Started' and was == state and how ~= before or (ORDER[state] or 3) > (ORDER[was] or 3)
    end
    return not at or state == 'Skipped' or tonumber(attempt) > tonumber(at)
end

local function steps_report(id, from, count)
    for i = from, from + (count - 1) * 5, 5 do
        local step, event, state, attempt, how = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
        local run, field = P .. 'run:' .. id, 'step:' .. step
        local record = call('HGET', run, field) or ''
        local was, at, started, before = record:match('^(%S+) (%S+) (%S+) %S+ (%S+)')
        if is_news(was, at, before, state, attempt, how) then
            started = state == 'Started' and NOW or at == attempt and started or '-'
            local ended = state == 'Started' and '-' or NOW
            call('HSET', run, field, table.concat({state, attempt, started, ended, how}, ' '))
            emit(event, id, 'step', step, 'attempt', attempt, 'how', how)
        end
    end
end
