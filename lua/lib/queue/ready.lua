-- ready: the heads of lanes that may be admissible, and the dequeuer that is woken for them.
local READY = P .. 'ready'

-- Wakes a dequeuer when there is a head to try and room to admit it.
local function ring_if_admissible()
    local bell = P .. 'bell'
    if call('EXISTS', READY, bell) == 1 and call('EXISTS', READY) == 1 then
        --@include lib/bell.lua
        --@include lib/queue/run_limits.lua
        if global_room() > 0 then
            ring(bell)
        end
    end
end
