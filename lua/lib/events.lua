-- events: the capped stream `events` that tells what happened to runs and steps.
local function emit(event, id, ...)
    call('XADD', P .. 'events', 'MAXLEN', '~', '100000', '*', 'event', event, 'run', id, ...)
end
