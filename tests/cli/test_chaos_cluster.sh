#!/bin/sh
# In a cluster, where the slot of the namespace moves.
# shellcheck source=/dev/null
. "$(dirname "$0")/../support/chaos.sh"
export TOPOLOGY=cluster
chaos 1
