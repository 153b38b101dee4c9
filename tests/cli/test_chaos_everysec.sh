#!/bin/sh
# A seed that failed once (tests/chaos/seeds): what Redis has not synced is lost with the power.
# shellcheck source=/dev/null
. "$(dirname "$0")/../support/chaos.sh"
export SYNC=everysec ONLY='power cuts, connections dropped, dequeuers killed'
chaos 6
