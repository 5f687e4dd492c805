#!/usr/bin/env bash
# Runs a command beside a container engine, and stops the engine if this run started it.
#   run.sh DIR -- COMMAND…       DIR is kept between runs: images and downloads are made once.
# Exit code: the command's own; 69 where this machine can have no engine (the reason is on standard error).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -lt 3 ] || [ "$2" != -- ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 64
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift 2

was_up=no
"$here/up.sh" --is-up "$dir" && was_up=yes
stop() { [ "$was_up" = yes ] || "$here/down.sh" "$dir"; }
trap stop EXIT
"$here/up.sh" "$dir"
# shellcheck source=/dev/null
. "$dir/env"
"$@"
