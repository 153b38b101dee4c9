#!/bin/sh
# The Containerfile holds what rivers needs, and the manifests, the Containerfile and docs/kubernetes.md speak of the same.
# shellcheck source=/dev/null disable=SC2154 # servers.sh sets what is not set here
set -eu
. "$(dirname "$0")/../support/servers.sh"
container=$project/Containerfile
manifests=$project/deploy/kubernetes
document=$project/docs/kubernetes.md

stage() { # N: what the N-th stage installs, a package a line
    awk -v n="$1" '/^FROM/ { at++ } at == n && /install|^ +[a-z]/ { print }' "$container" | tr -s ' ' '\n' |
        grep -E '^(lib|gcc|make|ca-)' | sort
}

# What the binary links and what it loads by name, as Debian calls the packages: libcurl.so.4 is in libcurl4,
# libevent_core-2.1.so.7 in libevent-core-2.1-7.
libraries() {
    {
        readelf -d "$rivers" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v '^libc\.so\|^ld-\|san\.so'
        sed -n 's/^#define LIBRARY *"\(.*\)".*/\1/p' "$project"/src/*/*.c
    } | tr _ - | sed 's/\([0-9]\)\.so\./\1-/; s/\.so\.//'
}
installs_libraries() {
    for package in $(libraries); do
        stage 2 | grep -qxF "$package" || { echo "not installed: $package" && return 1; }
    done
    [ "$(libraries | wc -l)" -ge 6 ]
}
installs_headers() { # all that bootstrap asks for, but for what only tests include
    sed -n 's/^header  *[^ ]* *\([^ ]*\).*/\1/p' "$project/scripts/bootstrap" | grep -v cmocka >want
    printf 'gcc\nmake\n' >>want
    sort want | comm -23 - installed.1 >lacking
    cat lacking
    [ ! -s lacking ]
}
builds_from_what_is_copied() {
    mkdir tree
    sed -n 's/^COPY \([^-].*\) [^ ]*$/\1/p' "$container" | while read -r path; do
        mkdir -p "tree/$(dirname "$path")"
        cp -r "$project/$path" "tree/$path"
    done
    make -n -C tree all install PREFIX=/usr DESTDIR=out >steps
    grep -q 'install .*out/usr/bin/rivers' steps
}
same_version() {
    version=$(sed -n 's/^VERSION *:= *//p' "$project/Makefile")
    grep -hoE 'rivers:[0-9][0-9.]*' "$container" "$manifests"/*.yaml "$document" | sort -u >versions
    cat versions
    [ "$(cat versions)" = "rivers:$version" ]
}
files_are_there() {
    grep -oE 'deploy/kubernetes/[0-9a-z.-]*' "$document" | while read -r path; do
        [ -e "$project/$path" ] || { echo "no $path" && return 1; }
    done
}
named() { # KIND: the names that the document gives to kubectl
    grep -oE "\b$1[/ ][a-z-]*" "$document" | sed "s|^$1[/ ]||" | grep '^rivers' | sort -u
}
objects_are_there() {
    for kind in deployment/Deployment 'create secret generic/Secret' namespace/Namespace; do
        for name in $(named "${kind%/*}"); do
            grep -A 2 -h "^kind: ${kind#*/}" "$manifests"/*.yaml | grep -q "name: $name$" || { echo "no $kind $name" && return 1; }
        done
    done
    [ "$(named deployment)" = rivers-dequeuer ]
}
user_is_a_number() { grep -qE '^USER [1-9][0-9]*:[1-9][0-9]*$' "$container"; }

stage 1 >installed.1
check 'the image holds each library that is linked or loaded' installs_libraries
check 'it is built with each header' installs_headers
check 'and from nothing but what is copied' builds_from_what_is_copied
check 'its user is a number' user_is_a_number
check 'it has the version of the tree wherever it is named' same_version
check 'the document names files that are there' files_are_there
check 'and objects that are there' objects_are_there
echo "1..$number"
exit "$failed"
