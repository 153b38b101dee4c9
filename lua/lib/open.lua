-- open: what every script starts with: the key prefix, the layout check, the time. KEYS[1] is `rivers:{namespace}:`; ARGV[1] is
-- the time in ms, '' for the server's clock (a digit string freezes it for tests): `now`, and `NOW` as text.
local P, call = KEYS[1], redis.call
local LAYOUT = '2'
local layout = call('HGET', P .. 'meta', 'layout')
if layout and layout ~= LAYOUT then
    return {'LAYOUT', layout}
end

-- A whole number as text. Redis takes numbers as well, at thrice the price.
local function num(n)
    return string.format('%d', n)
end

local now, NOW = tonumber(ARGV[1]), ARGV[1]
if not now then
    local t = call('TIME')
    now = t[1] * 1000 + math.floor(t[2] / 1000)
    NOW = num(now)
end
