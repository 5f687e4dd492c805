"""The closed list of metrics. Labels are topics, groups, codes and services, never anything of a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLA_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 172_800, 604_800)


class Metrics:
    """Every metric of one process; made once by the composition root and handed down."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = Counter(
            "opposable_records_total", "Records taken from a topic and done with", ["group"], registry=self.registry
        )
        self.batch_seconds = Histogram(
            "opposable_batch_seconds", "Time to do one batch", ["group"], registry=self.registry, buckets=SECONDS
        )
        self.rewinds = Counter(
            "opposable_rewinds_total", "Batches put back because an engine was away", ["group"], registry=self.registry
        )
        self.dead = Counter("opposable_dead_total", "Records put aside in `dead`", ["code"], registry=self.registry)
        self.receipts = Counter(
            "opposable_receipts_total", "Receipts given to partners", ["status"], registry=self.registry
        )
        self.verdict_lines = Counter(
            "opposable_verdict_lines_total", "Verdict lines", ["verdict"], registry=self.registry
        )
        self.verdict_reasons = Counter(
            "opposable_verdict_reasons_total", "Reasons given by verdict lines, by code of the rules", ["reason"],
            registry=self.registry,
        )  # fmt: skip
        self.orders = Counter(
            "opposable_orders_total", "Withdrawal orders published", ["reminder"], registry=self.registry
        )
        self.permissions = Counter(
            "opposable_permissions_total", "Permission events published", ["type"], registry=self.registry
        )
        self.checks = Counter(
            "opposable_permission_checks_total", "Contacts that parties asked about, by what they were told", ["answer"],
            registry=self.registry,
        )  # fmt: skip
        self.webhooks = Counter(
            "opposable_webhooks_total", "Attempts to push an event to a party", ["outcome"], registry=self.registry
        )
        self.messages = Counter(
            "opposable_messages_total", "Attempts to write to a person", ["channel", "outcome"], registry=self.registry
        )
        self.messages_owed = Gauge(
            "opposable_messages_owed", "Messages to persons that need the operator: failed, bounced, stuck (three attempts)",
            ["state"], registry=self.registry,
        )  # fmt: skip
        self.message_files = Gauge(
            "opposable_message_files", "Messages that lie as files: letters to print and post, mails and SMS without a server",
            ["kind"], registry=self.registry,
        )  # fmt: skip
        self.message_files_oldest = Gauge(
            "opposable_message_files_oldest_seconds", "Age of the oldest of them", ["kind"], registry=self.registry
        )
        self.entries = Counter("opposable_log_entries_total", "Entries sequenced", ["topic"], registry=self.registry)
        self.checkpoints = Counter("opposable_checkpoints_total", "Checkpoints signed", registry=self.registry)
        self.halted = Gauge(
            "opposable_halted", "1 where a partition or log is stopped and waits for an operator", ["what"],
            registry=self.registry,
        )  # fmt: skip
        self.lag = Gauge(
            "opposable_lag_records", "Records stored and not yet taken, of the partitions held by this process",
            ["group", "topic"], registry=self.registry,
        )  # fmt: skip
        self.progressing = Gauge(
            "opposable_last_poll_timestamp_seconds", "When a consumer last began a batch", ["group"],
            registry=self.registry,
        )  # fmt: skip
        self.proofs_delivered = Counter(
            "opposable_proofs_delivered_total", "Proofs handed over", ["format", "scope"], registry=self.registry
        )
        self.outbox = Gauge(
            "opposable_proof_outbox", "Deliveries of proofs that are not in the log yet", registry=self.registry
        )
        self.proof_seconds = Histogram(
            "opposable_proof_sla_seconds",
            "From receipt to an available proof (what=available), from a demand to its delivery (what=delivered)",
            ["what"], registry=self.registry, buckets=SLA_SECONDS,
        )  # fmt: skip
        self.sla_breaches = Counter(
            "opposable_proof_sla_breaches_total", "Proofs later than the agreement promises", ["what"],
            registry=self.registry,
        )  # fmt: skip
