#!/bin/bash
# As upstream: flags go to mongod, another command runs as it is, mongod runs as `mongodb` (or as the user the container
# was given), and a root user is made on first start when MONGO_INITDB_ROOT_USERNAME is given.
set -eu
case "${1:-}" in -*) set -- mongod "$@" ;; esac
[ "${1:-}" = mongod ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  chown -R mongodb:mongodb /data/db
  exec setpriv --reuid mongodb --regid mongodb --clear-groups "$0" "$@"
fi
shift
if [ -n "${MONGO_INITDB_ROOT_USERNAME:-}" ]; then
  if [ ! -e /data/db/.root-created ]; then
    mongod --dbpath /data/db --bind_ip 127.0.0.1 --port 27018 --fork --logpath /tmp/first-start.log >/dev/null
    create_root.py
    mongod --dbpath /data/db --shutdown >/dev/null
    touch /data/db/.root-created
  fi
  set -- --auth "$@"
fi
case " $* " in *" --bind_ip"*) ;; *) set -- --bind_ip_all "$@" ;; esac
exec mongod --dbpath /data/db "$@"
