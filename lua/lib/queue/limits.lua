-- limits: the tag limits of this moment.
--@include lib/names.lua

-- field -> text as the operator set it. Nothing is read before it is asked for: then all while they are few (`limits_flat`),
-- field by field above that.
local limits, limits_flat = {}, nil
local function limits_load()
    limits_flat = call('HGETALL', P .. 'tag_limits')
    setmetatable(limits, nil)
    for i = 1, #limits_flat, 2 do
        limits[limits_flat[i]] = limits_flat[i + 1]
    end
end

local function limits_load_few()
    if call('HLEN', P .. 'tag_limits') <= 32 then
        limits_load()
        return true
    end
end

setmetatable(limits, {__index = function(_, asked)
    if not limits_load_few() then
        setmetatable(limits, {__index = function(t, field)
            local text = call('HGET', P .. 'tag_limits', field)
            t[field] = text
            return text
        end})
    end
    return limits[asked]
end})

-- Whether these limits are the ones that `admit` followed last (refile.lua), so that a change of them will be noticed.
local followed
local function limits_are_followed()
    if followed == nil then
        followed = (limits_flat or limits_load_few()) and
            (call('HGET', P .. 'refile', 'seen') or '') == table.concat(limits_flat, '\n') or false
    end
    return followed
end
