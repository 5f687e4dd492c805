#!/usr/bin/env bash
# Stops the engine that up.sh started under DIR, with every container on it. Images stay: the next start is fast.
#   down.sh DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(cd "${1:?usage: down.sh DIR}" && pwd)
# shellcheck source=tests/container_host/engine.sh
. "$here/engine.sh"
stop_engine
