# shellcheck shell=bash
# shellcheck disable=SC2154 # $dir is set by the sourcing script
# One Docker engine of our own under $dir: data, socket, process id, bridge. Sourced by up.sh and down.sh.
# Everything carries the directory's name, so that nothing of another engine on the machine is ever touched.

docker=/usr/bin/docker # Debian's client: it matches Debian's engine and has BuildKit built in
socket=$dir/docker.sock
config=$dir/daemon.json
bridge=opp$(printf %s "$dir" | sha256sum | cut -c1-8) # an interface name holds 15 characters

say() { printf 'container host: %s\n' "$*" >&2; }

ours() { # ours PIDFILE: prints the pid if it lives and was started for this directory (pids are reused)
  local pid
  pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF "$dir/" && echo "$pid"
}

engine_answers() { DOCKER_HOST=unix://$socket timeout 10 "$docker" info >/dev/null 2>&1; }

engine_is_up() { ours "$dir/dockerd.pid" >/dev/null && engine_answers; }

end() { # end PIDFILE SECONDS: SIGTERM, then SIGKILL after the delay; a stale file goes too, the engine would believe it
  local pid
  if pid=$(ours "$1"); then
    kill "$pid"
    for _ in $(seq $(($2 * 5))); do
      ours "$1" >/dev/null || break # an unreaped child answers to kill -0, so ask for its command line
      sleep 0.2
    done
    ! ours "$1" >/dev/null || kill -9 "$pid"
  fi
  rm -f "$1"
}

remove_containers() { # what a killed run left behind would start again with the engine
  local left
  left=$("$docker" -H "unix://$socket" ps -aq)
  # shellcheck disable=SC2086
  [ -z "$left" ] || "$docker" -H "unix://$socket" rm -f -v $left >/dev/null
  "$docker" -H "unix://$socket" network prune -f >/dev/null
  "$docker" -H "unix://$socket" volume prune -f >/dev/null
}

free_subnet() { # a /24 of 172.29.0.0/16 that no interface has
  local n
  for n in $(seq 0 255); do
    ip -4 -o addr show | grep -qF " 172.29.$n." || { echo "172.29.$n.1/24"; return; }
  done
  return 1
}

uplink_mtu() { # a bridge wider than the way out drops large packets silently
  local uplink
  uplink=$(ip -4 route show default | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
  cat "/sys/class/net/$uplink/mtu" 2>/dev/null || echo 1500
}

start_engine() {
  end "$dir/dockerd.pid" 10 # alive but not answering
  end "$dir/exec/containerd/containerd.pid" 10
  rm -f "$socket"
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip link add name "$bridge" type bridge
    ip addr add "$(free_subnet)" dev "$bridge"
  fi
  ip link set "$bridge" up
  cat >"$config" <<J
{"data-root": "$dir/data", "exec-root": "$dir/exec", "pidfile": "$dir/dockerd.pid", "hosts": ["unix://$socket"],
 "bridge": "$bridge", "mtu": $(uplink_mtu), "log-driver": "json-file", "shutdown-timeout": 10}
J
  setsid dockerd --config-file "$config" >"$dir/dockerd.log" 2>&1 </dev/null &
  local pid=$!
  for _ in $(seq 120); do
    engine_answers && { remove_containers; return; }
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.5
  done
  say "dockerd did not come up; the end of $dir/dockerd.log:"
  tail -20 "$dir/dockerd.log" >&2
  return 1
}

stop_engine() {
  if engine_is_up; then remove_containers; fi
  end "$dir/dockerd.pid" 30
  end "$dir/exec/containerd/containerd.pid" 10
  # After a kill the engine's mounts are still there, and nobody could remove DIR.
  awk -v below="$dir/" 'index($5, below) == 1 {print $5}' /proc/self/mountinfo | sort -r | xargs -r umount -l
  rm -f "$socket" "$dir/env"
  ip link del "$bridge" 2>/dev/null || true
}
