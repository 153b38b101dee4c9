-- memo: a table that makes what it is asked for, once a call.
local function memo(make)
    return setmetatable({}, {__index = function(known, name)
        local value = make(name)
        known[name] = value
        return value
    end})
end
