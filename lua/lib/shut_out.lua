-- shut_out: whether none of those who wait for some pools could come in now, where none are due: a look at the heads of their
-- lines, before all that serves them is made.
--@include lib/look.lua
--@include lib/changed.lua
local FEW = 8 -- heads of a line; behind more somebody may come in

-- shape: of which some was given back
local function is_shut_out(shape)
    for pool in shape:gmatch('([^,=]+)=') do
        for i, head in ipairs(call('ZRANGE', P .. 'pool:' .. pool .. ':shapes', '0', num(FEW))) do
            local pools, names, slots = {}, {}, {}
            for other, n in head:sub(17):gmatch('([^,=]+)=(%d+)') do
                pools[#pools + 1], names[#names + 1], slots[other] = other, unescape(other), tonumber(n)
            end
            local full = look(pools, names, slots)
            if i > FEW or not full or not full[1] then
                return false
            end
        end
    end
    return not limits_changed()
end
