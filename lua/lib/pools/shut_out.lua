-- shut_out: whether none of those who wait for some pools could come in now, where none are due: a look at the heads of their
-- lines, before all that serves them is made.
--@include lib/names.lua
--@include lib/pools/settings.lua
local FEW = 8 -- heads of a line; behind more somebody may come in

local function is_short(shape)
    for pool, slots in shape:gmatch('([^,=]+)=(%d+)') do
        local limit = limit_read(call('HGET', P .. 'pool_limits', unescape(pool))) or math.huge
        if tonumber(slots) > limit - (call('HGET', P .. 'pool_used', pool) or 0) then
            return true
        end
    end
    return false
end

-- shape: of which some was given back
local function is_shut_out(shape)
    for pool in shape:gmatch('([^,=]+)=') do
        for i, head in ipairs(call('ZRANGE', P .. 'pool:' .. pool .. ':shapes', '0', num(FEW))) do
            if i > FEW or not is_short(head:sub(17)) then
                return false
            end
        end
    end
    return not limits_changed()
end
