#!lua flags=allow-oom
-- Deletes a finished run with its logs.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] run id
-- RETURNS {'OK'} | {'ACTIVE', state}: cancel it and let it finish before deleting | {'NOT_FOUND'}
--@include lib/open.lua
--@include lib/queue/deletion.lua
local FINAL = {Success = true, Failure = true, Canceled = true}
local state = call('HGET', P .. 'run:' .. ARGV[2], 'state')
if not state then
    return {'NOT_FOUND'}
elseif not FINAL[state] then
    return {'ACTIVE', state}
end
run_delete(ARGV[2])
return {'OK'}
