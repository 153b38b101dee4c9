#!/bin/sh
# A seed that failed once (tests/chaos/seeds).
# shellcheck source=/dev/null
. "$(dirname "$0")/../support/chaos.sh"
chaos 2
