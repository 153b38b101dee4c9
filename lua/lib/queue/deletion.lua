-- deletion: a finished run goes, with all that belongs to it. Returns whether it had a record.
local function run_delete(id)
    local run = P .. 'run:' .. id
    local record = call('HGETALL', run)
    for i = 1, #record, 2 do
        if record[i]:sub(1, 5) == 'step:' then
            call('UNLINK', P .. 'log:' .. id .. '/' .. record[i]:sub(6))
        elseif record[i] == 'key' then
            call('DEL', P .. 'key:' .. record[i + 1])
        end
    end
    call('DEL', run, P .. 'spec:' .. id)
    call('ZREM', P .. 'history', id)
    return #record > 0
end
