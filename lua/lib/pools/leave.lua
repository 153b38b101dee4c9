-- leave: a run that ended holds no slots and waits for none. Most never did: what pools are is only made when one did.
local function slots_release_run(run)
    local steps = call('HKEYS', P .. 'slots:' .. run)
    if #steps > 0 then
        --@include lib/pools/pools.lua
        slots_release_steps(run, steps)
    end
end
