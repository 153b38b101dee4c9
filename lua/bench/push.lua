#!lua
-- Lower bound of submitting, for `rivers bench`: stores runs and files each in the lane of its three counters.
-- KEYS  [1] prefix
-- ARGV  [1] now; [2] what a run holds; then for each run three counters
-- RETURNS {'OK'}
--@include lib/open.lua
local seq = call('HINCRBY', P .. 'meta', 'id_seq', (#ARGV - 2) / 3) - (#ARGV - 2) / 3
for i = 3, #ARGV, 3 do
    seq = seq + 1
    local id, lane = num(seq), table.concat(ARGV, ',', i, i + 2)
    call('HSET', P .. 'run:' .. id, 'state', 'Queued', 'lane', lane, 'spec', ARGV[2])
    if call('RPUSH', P .. 'lane:' .. lane, id) == 1 then
        call('ZADD', P .. 'ready', seq, lane)
    end
end
return {'OK'}
