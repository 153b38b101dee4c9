# admission: each has the same token.
s/^    local token, work = call('HINCRBY', P \.\. 'meta', 'token', num(room)) - room, 0$/    local token, work = 0, 0/
