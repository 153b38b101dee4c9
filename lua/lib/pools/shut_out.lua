-- shut_out: whether none of those who wait for some pools could come in now, where none are due: a look at the heads of their
-- lines, before all that serves them is made.
--@include lib/pools/members.lua
--@include lib/pools/room.lua
local FEW, BEHIND_FEW = 8, '8' -- heads of a line; behind more somebody may come in

local function is_short(shape)
    for pool, slots in shape:gmatch('([^,=]+)=(%d+)') do
        if tonumber(slots) > pool_room(pool) then
            return true
        end
    end
    return false
end

-- shape: of which some was given back
local function is_shut_out(shape)
    for pool in shape:gmatch('([^,=]+)=') do
        for i, head in ipairs(call('ZRANGE', P .. 'pool:' .. pool .. ':shapes', '0', BEHIND_FEW)) do
            if i > FEW or not is_short(line_name(head)) then
                return false
            end
        end
    end
    return true
end
