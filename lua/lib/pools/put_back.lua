-- put_back: slots that a claim took before it came to a pool with too few.
--@include lib/pools/used.lua
-- last: the place of that pool
local function put_back(claim, pools, slots, last)
    for i = 1, last do
        pool_take(pools[i], '-' .. slots[i])
        call('ZREM', P .. 'pool:' .. pools[i] .. ':holders', claim)
    end
    call('ZREM', P .. 'slots', claim)
end
