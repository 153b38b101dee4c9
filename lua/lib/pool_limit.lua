-- pool_limit: the limit of a pool by its key.
--@include lib/names.lua
--@include lib/memo.lua
--@include lib/pool_settings.lua
local pool_limit = memo(function(pool)
    return limit_read(call('HGET', P .. 'pool_limits', unescape(pool)))
end)
