-- bypass: how long a claim bears to be passed in a pool, by its key.
--@include lib/whole.lua
--@include lib/names.lua
local function pool_bypass(pool)
    return whole(call('HGET', P .. 'pool_bypass', unescape(pool))) or 10000
end
