#!/bin/sh
# scripts/embed-lua makes one script of a file and its fragments: each fragment once, an indented one in its block alone, and of
# functions only those that are named.
set -eu
embed=$(cd "$(dirname "$0")/../.." && pwd)/scripts/embed-lua
cd "$TMPDIR"
mkdir -p lua/lib lua/run
number=0 failed=0

say() { # WORD NAME
    number=$((number + 1))
    echo "$1 $number - $2"
    [ "$1" = ok ] || failed=1
}

becomes() { # NAME: lua/run/go.lua and its fragments become what stdin shows, which is Lua
    cat >want
    if "$embed" lua out >log 2>&1 && diff out/lua/run.go.lua want >log; then say ok "$1"; else
        say 'not ok' "$1"
        sed 's/^/# /' log
    fi
}

refuses() { # NAME MESSAGE
    if "$embed" lua out >log 2>&1 || ! grep -qxF "$2" log; then
        say 'not ok' "$1"
        sed 's/^/# /' log
    else say ok "$1"; fi
}

echo 1..8
cat >lua/lib/open.lua <<'END'
-- open: what every script starts with.
local P = KEYS[1]
END
cat >lua/lib/key.lua <<'END'
-- key: names of keys
local function key(name)
    return P .. name -- not(other)
end

local size_of = memo(function(name)
    return redis.call('STRLEN', key(name))
end)

local one_of = memo(function() return key('one') end)
END
cat >lua/lib/use.lua <<'END'
--@include lib/key.lua
local function shown(name) -- of a key
    return '"' .. key(name) .. '"'
end

local function hidden(name)
    return shown(name) .. size_of[name]
end
END

cat >lua/run/go.lua <<'END'
#!lua flags=no-writes
-- Goes.
--@include lib/open.lua
--@include lib/key.lua
--@include lib/use.lua

return shown('a--') -- and that
END
becomes a_fragment_comes_in_once_with_the_functions_that_are_named <<'END'
#!lua flags=no-writes
local P = KEYS[1]
return (function()
local function key(name)
    return P .. name -- not(other)
end
local function shown(name) -- of a key
    return '"' .. key(name) .. '"'
end
return shown('a--') -- and that
end)()
END

cat >lua/run/go.lua <<'END'
#!lua
--@include lib/open.lua
local function far(name)
    if name then
        --@include lib/use.lua
        return shown(name)
    end
    --@include lib/use.lua
    return key('')
end
return far()
END
becomes an_indented_fragment_is_local_to_its_block <<'END'
#!lua
local P = KEYS[1]
return (function()
local function far(name)
    if name then
 local function key(name)
     return P .. name -- not(other)
 end
 local function shown(name) -- of a key
     return '"' .. key(name) .. '"'
 end
        return shown(name)
    end
 local function key(name)
     return P .. name -- not(other)
 end
    return key('')
end
return far()
end)()
END

cat >lua/run/go.lua <<'END'
#!lua
--@include lib/open.lua
local function far(name)
    --@include lib/key.lua
    if name ~= key('') then

        --@include lib/use.lua
        return shown(name)
    end
    return key('')
end
return far()
END
becomes a_fragment_is_there_until_its_block_ends <<'END'
#!lua
local P = KEYS[1]
return (function()
local function far(name)
 local function key(name)
     return P .. name -- not(other)
 end
    if name ~= key('') then
 local function shown(name) -- of a key
     return '"' .. key(name) .. '"'
 end
        return shown(name)
    end
    return key('')
end
return far()
end)()
END

printf '%s\n' '#!lua' '--@include lib/key.lua' 'local function f()' '    --@include lib/key.lua' '    return key(1)' 'end' \
    'return f()' >lua/run/go.lua
becomes what_a_block_includes_is_not_repeated_when_it_is_there_outside <<'END'
#!lua
local function key(name)
    return P .. name -- not(other)
end
local function f()
    return key(1)
end
return f()
END

printf '%s\n' '#!lua' '--@include lib/open.lua' '--@include lib/none.lua' >lua/run/go.lua
refuses a_fragment_that_is_missing 'embed-lua: lua/run/go.lua:3: cannot read lua/lib/none.lua'
printf '%s\n' '#!lua' '-- @include lib/key.lua' >lua/run/go.lua
# shellcheck disable=SC2016 # these are backquotes
refuses an_include_that_is_misspelt 'embed-lua: lua/run/go.lua:2: not `--@include lib/<name>.lua`'
printf '%s\n' '#!lua' 'local function f(a,' '        b)' '    return b' 'end' 'return f()' >lua/run/go.lua
refuses parameters_in_two_lines 'embed-lua: not in one line: local function f(a,'
printf '%s\n' '#!lua' '--@include lib/use.lua' >lua/run/go.lua
echo '--@include lib/use.lua' >>lua/lib/key.lua
refuses fragments_that_include_each_other 'embed-lua: lua/lib/key.lua:11: include cycle at lua/lib/use.lua'
exit $failed
