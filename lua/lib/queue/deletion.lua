-- deletion: a finished run goes, with all that belongs to it. Returns how many steps it had, nil when it has no record.
local function run_delete(id)
    local run = P .. 'run:' .. id
    local record, steps = call('HGETALL', run), 0
    for i = 1, #record, 2 do
        if record[i]:sub(1, 5) == 'step:' then
            call('UNLINK', P .. 'log:' .. id .. '/' .. record[i]:sub(6))
            steps = steps + 1
        elseif record[i] == 'key' then
            call('DEL', P .. 'key:' .. record[i + 1])
        end
    end
    call('DEL', run, P .. 'spec:' .. id)
    call('ZREM', P .. 'history', id)
    return #record > 0 and steps or nil
end
