#!/bin/sh
# The client library as it is installed: what is where, what it exports, that its header stands alone in C and C++, and the example of
# docs/client.md, which knows nothing but what pkg-config says.
# shellcheck source=/dev/null disable=SC2154,SC2034 # for and from what is sourced
set -eu
. "$(dirname "$0")/../support/servers.sh"
. "$project/tests/support/document.sh"
build=${rivers%/*}
document=$project/docs/client.md
header=$project/include/rivers/rivers.h
root=$dir/root

installed() {
    # The variables of the make that runs the tests are not those of this one.
    env -u MAKEFLAGS -u MFLAGS make -C "$project" install B="$build" PREFIX=/opt/rivers DESTDIR="$root"
    (cd "$root/opt/rivers" && find . ! -type d | LC_ALL=C sort) >files
    cat >want <<END
./bin/rivers
./include/rivers/rivers.h
./lib/librivers.so
./lib/librivers.so.$soversion
./lib/librivers.so.$version
./lib/pkgconfig/rivers.pc
END
    diff files want
}
of_makefile() { # NAME
    sed -n "s/^$1 *:= *//p" "$project/Makefile"
}
names_itself() {
    readelf -d "$root/opt/rivers/lib/librivers.so" | grep -F "soname: [librivers.so.$soversion]"
}
declared() { # functions
    cc -E -P "$header" | tr -d '\n' | tr ';' '\n' | sed -nE 's/^[^(]*[ *](rivers_[a-z_]+)\(.*/\1/p' | LC_ALL=C sort
}
exports_what_is_declared() {
    declared >want
    [ "$(wc -l <want)" -ge 10 ]
    nm -D --defined-only "$root/opt/rivers/lib/librivers.so" | awk '{ print $3 }' | LC_ALL=C sort | diff - want
}
header_stands_alone() { # COMPILER OPTION...
    echo '#include <rivers/rivers.h>' >"alone.$2"
    "$1" -Wall -Wextra -pedantic -Werror -fsyntax-only -I "$root/opt/rivers/include" "$3" "alone.$2"
}
config() { # WORD...: what pkg-config says of rivers
    PKG_CONFIG_PATH=$root/opt/rivers/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root pkg-config "$@" rivers
}
example_is_built() {
    block c | diff - "$project/examples/client.c"
    # A library under a sanitizer wants the program to be as well.
    sanitizer=
    readelf -d "$build/librivers.so.$soversion" | grep -q 'NEEDED.*libasan' && sanitizer=-fsanitize=address,undefined
    [ "$(config --modversion)" = "$version" ]
    # shellcheck disable=SC2046,SC2086 # lists of words
    cc -std=c99 -pedantic -Wall -Wextra -Werror "$project/examples/client.c" $(config --cflags --libs) $sanitizer \
        -o client
}
client() {
    LD_LIBRARY_PATH=$root/opt/rivers/lib ./client "$@"
}
example_runs() {
    client warehouse key >first && cat first
    client warehouse key >second && diff first second
    grep -Ex 'r[0-9a-z]{16} Success' first
    "$rivers" runs logs "$(cut -d ' ' -f 1 first)" | grep -x hello
    "$rivers" pools list | grep -E '^warehouse +1 +0 +0 +1m$'
    if client nowhere key 2>refused; then return 1; fi
    grep -x "client: pool 'nowhere' not configured" refused
}

version=$(of_makefile VERSION) soversion=$(of_makefile SOVERSION)
check 'make install puts each thing into its place' installed
check 'the library is found by its version' names_itself
check 'it exports what the header declares, and nothing else' exports_what_is_declared
check 'the header stands alone in C99' header_stands_alone cc c -std=c99
check 'and in C++' header_stands_alone c++ cc -std=c++11
check 'the example of the document is built with what is installed' example_is_built
server redis
export RIVERS_REDIS_URL="redis://127.0.0.1:$port"
"$rivers" pools set warehouse 1 --lease-duration 1m >set.out
"$rivers" dequeuer 2>dequeuer.log &
pids="$pids $!"
check 'and submits once, holds a slot, and gives it back' example_runs
echo "1..$number"
exit "$failed"
