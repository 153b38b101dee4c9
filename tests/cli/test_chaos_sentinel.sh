#!/bin/sh
# Under sentinels, which replace the master.
# shellcheck source=/dev/null
. "$(dirname "$0")/../support/chaos.sh"
export TOPOLOGY=sentinel
chaos 1
