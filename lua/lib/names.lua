-- names: how names are written into keys: percent-escaped, so that `,` can join the gates of a run into the name of its lane,
-- and the pools of a claim into its shape.
local function escape(s)
    return s:find('[^%w_./:@+-]') and s:gsub('[^%w_./:@+-]', function(c) return string.format('%%%02X', c:byte()) end) or s
end

local function unescape(s)
    return s:find('%', 1, true) and s:gsub('%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end) or s
end
