#!/usr/bin/env bash
# First consent and first withdrawal by curl: acme collects, canalvert prospects. Needs curl and jq.
#   OPPOSABLE_URL=http://127.0.0.1:8100 ACME_KEY=… CANALVERT_KEY=… ./curl.sh jeanne@courriel.example
set -euo pipefail
cd "$(dirname "$0")"
email="$1"

call() { # KEY PATH [curl options]: one call, its body; fails with the platform's problem document
  curl --silent --show-error --fail-with-body --retry 3 -H "Authorization: Bearer $1" "$OPPOSABLE_URL$2" "${@:3}"
}
send() { # KEY: the event on standard input; 202 says that it is stored, the receipt what became of it
  call "$1" /v1/events -H 'content-type: application/json' --data-binary @- | jq --exit-status -r '.results[0].event_id'
}
await() { # KEY FEED FILTER: the first event of a feed that passes the filter, page by page
  local page after=""
  for _ in {1..30}; do
    page=$(call "$1" "/v1/feed/$2?wait=5$after")
    jq --exit-status -c "first(.events[] | select($3))" <<<"$page" && return
    after="&after=$(jq -r '.next | @uri' <<<"$page")"
  done
  echo "nothing came on the feed $2" >&2; return 1
}
uuid() { cat /proc/sys/kernel/random/uuid; }
now=$(date -u +%FT%T.000Z) id=$(uuid)

# 1. acme: a consent. consent.json is what does not change from one person to the next.
jq --arg id "$id" --arg now "$now" --arg email "$email" '{specversion: "1.0", id: "c-\($id)", source: "acme",
  type: "opposable.consent.collected.v1", data: (. + {consent_id: $id, collected_at: $now,
  contacts: [{type: "email", value: $email}]})}' consent.json | send "$ACME_KEY"
await "$ACME_KEY" receipts ".data.event_id == \"c-$id\"" | jq --exit-status '.data.status == "accepted"'

# 2. canalvert: what it may do.
await "$CANALVERT_KEY" permissions ".data.consent_id == \"$id\"" | jq '{type, basis: .data.basis, until: .data.valid_until}'

# 3. acme: the person withdraws. No scope given = everything, everyone.
jq -n --arg id "$id" --arg email "$email" '{specversion: "1.0", id: "w-\($id)", source: "acme",
  type: "opposable.stop.requested.v1", data: {stop_id: "w-\($id)", kind: "withdrawal",
  contacts: [{type: "email", value: $email}]}}' | send "$ACME_KEY"

# 4. canalvert: the order, applied in its own system first, then acknowledged.
order=$(await "$CANALVERT_KEY" withdrawals ".data.stop_id == \"acme/w-$id\"" | jq -r .data.order_id)
event="ack-$(uuid)"
jq -n --arg event "$event" --arg order "$order" --arg now "$(date -u +%FT%T.000Z)" '{specversion: "1.0", id: $event,
  source: "canalvert", type: "opposable.order.acknowledged.v1",
  data: {order_id: $order, status: "applied", applied_at: $now}}' | send "$CANALVERT_KEY"
await "$CANALVERT_KEY" receipts ".data.event_id == \"$event\"" | jq --exit-status '.data.status == "accepted"'
echo "acknowledged $order"
