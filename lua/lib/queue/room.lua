-- room: how many more runs a gate lets in. The limit of `team=growth` is the lower of `team=growth` and `team=*`.
--@include lib/queue/gates.lua
--@include lib/queue/run_limits.lua
--@include lib/queue/limits.lua
local limit_of = memo(function(gate)
    local key, limit = gate:match('^([^=]*)='), limit_number(limits[unescape(gate)])
    return key and math.min(limit, limit_number(limits[unescape(key) .. '=*'])) or limit
end)

-- As it was at the first look; who lets runs in or out behind it says so here.
local usage_of = memo(function(gate)
    return call('ZCARD', P .. 'gate:' .. gate)
end)

local function room_of(gate)
    return limit_of[gate] - usage_of[gate]
end
