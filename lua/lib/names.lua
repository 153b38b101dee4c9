-- names: how names are written into keys: percent-escaped, so that `,` can join the gates of a run into the name of its lane, and
-- the pools of a claim into its shape.
local function escape(s)
    if not s:find('[^%w_./:@+-]') then
        return s
    end
    return (s:gsub('[^%w_./:@+-]', function(c) return string.format('%%%02X', c:byte()) end))
end

local function unescape(s)
    if not s:find('%', 1, true) then
        return s
    end
    return (s:gsub('%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end))
end
