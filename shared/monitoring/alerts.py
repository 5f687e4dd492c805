"""Alert rules, as data. Each serves a promise (docs/runbook.md says what it means and what to do); pure.

`up` and `time()` are Prometheus's own. Durations: how long it must last before anyone is woken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

RUNBOOK = "docs/runbook.md"
JOB = "opposable"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `promise`: which promise is at stake (P1 to P7)."""

    name: str
    expr: str
    lasting: str
    severity: Literal["page", "ticket"]
    promise: str
    summary: str


ALERTS: tuple[Alert, ...] = (
    Alert(
        "ServiceDown", f'up{{job="{JOB}"}} == 0', "2m", "page", "P1",
        "{{ $labels.service }} does not answer",
    ),
    Alert(
        "PartitionHalted", "max by (what) (opposable_halted) > 0", "1m", "page", "P1",
        "{{ $labels.what }} is halted and waits for an operator",
    ),
    Alert(
        "ConsumerStuck", "max by (group) (opposable_lag_records) > 0 and on (group) time() - max by (group) (opposable_last_poll_timestamp_seconds) > 120",
        "2m", "page", "P1", "{{ $labels.group }} has records to take and has begun no batch for two minutes",
    ),
    Alert(
        "StopsBehind", 'max by (group) (opposable_lag_records{group=~"collector.rights|rights_handler.stops"}) > 500', "2m", "page", "P3",
        "{{ $labels.group }} is {{ $value }} withdrawals behind",
    ),
    Alert(
        "GroupBehind", "max by (group) (opposable_lag_records) > 50000", "15m", "ticket", "P1",
        "{{ $labels.group }} is {{ $value }} records behind",
    ),
    Alert(
        "EngineAway", "sum by (group) (rate(opposable_rewinds_total[5m])) > 0", "3m", "page", "P1",
        "{{ $labels.group }} puts its batches back: MongoDB or Kafka is away",
    ),
    Alert(
        "DeadLetters", "sum by (code) (increase(opposable_dead_total[10m])) > 0", "0m", "ticket", "P1",
        "records were put aside: {{ $labels.code }}",
    ),
    Alert(
        "RejectionsFlood",
        'sum(rate(opposable_receipts_total{status="rejected"}[10m])) > 0.2 * sum(rate(opposable_receipts_total[10m]))', "10m", "ticket", "P7",
        "more than a fifth of what partners send is rejected",
    ),
    Alert(
        "Conflicts", 'increase(opposable_receipts_total{status="conflict"}[10m]) > 0', "0m", "ticket", "P4",
        "an event id came back with other content: a collector rewrites its evidence",
    ),
    Alert(
        "ChecksOverQuota", 'sum(increase(opposable_permission_checks_total{answer="over_quota"}[10m])) > 0', "0m", "ticket", "P6",
        "a party asks about more contacts than it may",
    ),
    Alert(
        "ChecksRefused", 'sum(rate(opposable_permission_checks_total{answer="unreachable"}[5m])) > 0', "5m", "page", "P2",
        "permission checks are refused: a store is away, or withdrawals wait unread",
    ),
    Alert(
        "MessagesOwed", "max by (state) (opposable_messages_owed) > 0", "30m", "ticket", "P7",
        "{{ $value }} messages to persons wait for the operator: {{ $labels.state }}",
    ),
    Alert(
        "LettersWaiting", "max by (kind) (opposable_message_files_oldest_seconds) > 86400", "5m", "ticket", "P7",
        "a message to a person has lain as a file for over a day: {{ $labels.kind }}",
    ),
    Alert(
        "NothingSigned",
        "sum(increase(opposable_log_entries_total[5m])) > 0 and sum(increase(opposable_checkpoints_total[5m])) == 0", "1m", "page", "P4",
        "entries are logged and no checkpoint is signed",
    ),
    Alert(
        "ProofsLate", "sum(increase(opposable_proof_sla_breaches_total[1h])) > 0", "0m", "ticket", "P4",
        "proofs came later than an agreement promises",
    ),
    Alert(
        "ProofOutboxStuck", "max(opposable_proof_outbox) > 0", "15m", "ticket", "P4",
        "deliveries of proofs are not in the log yet",
    ),
    Alert(
        "RemindersRising",
        'sum(increase(opposable_orders_total{reminder="yes"}[1h])) > 0.5 * sum(increase(opposable_orders_total{reminder="no"}[1h])) > 10', "0m",
        "ticket", "P3",
        "parties do not acknowledge withdrawals: more than half had to be reminded",
    ),
)  # fmt: skip


def rules() -> dict[str, Any]:
    """The rule file of Prometheus."""
    return {
        "groups": [
            {
                "name": "opposable",
                "rules": [
                    {
                        "alert": alert.name,
                        "expr": alert.expr,
                        **({"for": alert.lasting} if alert.lasting != "0m" else {}),
                        "labels": {"severity": alert.severity, "promise": alert.promise},
                        "annotations": {"summary": alert.summary, "runbook": f"{RUNBOOK}#{alert.name.lower()}"},
                    }
                    for alert in ALERTS
                ],
            }
        ]
    }
