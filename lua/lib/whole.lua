-- whole: whole numbers that operators set, as text. Bounded, as durations are: behind that, text made of a sum would be another
-- number.
local function whole(text)
    return text and text:find('^%d+$') and math.min(tonumber(text), 1e15)
end
