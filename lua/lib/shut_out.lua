-- shut_out: whether none of those who wait for some pools could come in now, where none are due: a look at the heads of their
-- lines, before all that serves them is made.
--@include lib/look.lua
--@include lib/changed.lua
local FEW = 8 -- heads of a line; behind more somebody may come in

-- Whether there is too little of a shape.
local function is_too_little(shape)
    local pools, names, slots = {}, {}, {}
    for pool, n in shape:gmatch('([^,=]+)=(%d+)') do
        pools[#pools + 1], names[#names + 1], slots[pool] = pool, unescape(pool), tonumber(n)
    end
    local full = look(pools, names, slots)
    return full and full[1]
end

-- shape: of which some was given back
local function is_shut_out(shape)
    for pool in shape:gmatch('([^,=]+)=') do
        local heads = call('ZRANGE', P .. 'pool:' .. pool .. ':shapes', '0', num(FEW))
        for i, head in ipairs(heads) do
            if i > FEW or not is_too_little(head:sub(17)) then
                return false
            end
        end
    end
    return not limits_changed()
end
