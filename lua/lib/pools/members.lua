-- members: how claims and shapes stand in the lines, `<arrival> <name>`.
local AHEAD, AHEAD_LAST = 16, '15' -- shapes at the head of a line that are protected from being passed for ever

local function line_member(arrival, name)
    return string.format('%015.0f %s', arrival, name)
end

local function line_name(member)
    return member:sub(17)
end

local function first_member(shape)
    return call('ZRANGE', P .. 'shape:' .. shape, '0', '0')[1]
end

local function first_waiter(shape)
    local member = first_member(shape)
    return member and line_name(member)
end
