-- drift: an index holds what has no record any more, because someone deleted it by hand. It is taken out, and told.
--@include lib/events.lua
local function drift(index, id, ...)
    emit('DriftRepaired', id, 'index', index, ...)
end
