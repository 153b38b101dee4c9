-- drift: an index holds what has no record any more, because someone deleted it by hand. It is taken out, counted, and told.
--@include lib/events.lua
local function drift(index, id, ...)
    call('HINCRBY', P .. 'meta', 'drift', 1)
    emit('DriftRepaired', id, 'index', index, ...)
end
