-- seldom: what an admission seldom does to runs; the functions for it are made at the first use.
local runs_made
local function seldom()
    if not runs_made then
        --@include lib/queue/runs.lua
        runs_made = {forget = run_forget, lost = run_lost, requeue = run_requeue, enqueue = run_enqueue}
    end
    return runs_made
end
