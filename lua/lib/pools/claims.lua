-- claims: whose a claim is, by its name `<run>/<step>`.
local function run_and_step(claim)
    return claim:match('^([^/]*)/(.*)$')
end
