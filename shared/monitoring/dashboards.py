"""Grafana dashboards, as data: services, topics, partners, promises. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = 39
WIDTH, HEIGHT, A_ROW = 12, 8, 2
"""Grid units of a panel; panels beside each other."""
_QUANTILE = "histogram_quantile({q}, sum by (le, {by}) (rate({name}_bucket[5m])))"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: what it shows, by which expression, in which unit of Grafana."""

    title: str
    expr: str
    legend: str = ""
    unit: str = "short"
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def quantile(q: float, name: str, by: str) -> str:
    """Expression of a quantile of a histogram."""
    return _QUANTILE.format(q=q, name=name, by=by)


DASHBOARDS: tuple[Dashboard, ...] = (
    Dashboard("opposable-promises", "Opposable: promises", (
        Panel("P1: put aside in `dead`", "sum by (code) (increase(opposable_dead_total[1h]))", "{{code}}"),
        Panel("P1: halted partitions and logs", "sum(opposable_halted)", is_number=True),
        Panel("P2: permissions told", "sum by (type) (rate(opposable_permissions_total[5m]))", "{{type}}", "ops"),
        Panel("P2: permission checks, by answer", "sum by (answer) (rate(opposable_permission_checks_total[5m]))", "{{answer}}", "ops"),
        Panel("P3: withdrawals waiting to be ordered", 'sum by (group) (opposable_lag_records{group=~"collector.rights|rights_handler.stops"})', "{{group}}"),
        Panel("P3: orders, first and reminders", "sum by (reminder) (rate(opposable_orders_total[5m]))", "reminder {{reminder}}", "ops"),
        Panel("P4: entries and checkpoints", "sum(rate(opposable_log_entries_total[5m]))", "entries", "ops"),
        Panel("P4: receipt to available proof, p99", quantile(0.99, "opposable_proof_sla_seconds", "what"), "{{what}}", "s"),
        Panel("P7: messages that need the operator", "max by (state) (opposable_messages_owed)", "{{state}}"),
        Panel("P7: messages that lie as files", "sum by (kind) (opposable_message_files)", "{{kind}}"),
        Panel("P7: the oldest of them", "max by (kind) (opposable_message_files_oldest_seconds)", "{{kind}}", "s"),
        Panel("P7: proofs later than promised", "sum by (what) (increase(opposable_proof_sla_breaches_total[1d]))", "{{what}}"),
    )),
    Dashboard("opposable-services", "Opposable: services", (
        Panel("Up", 'up{job="opposable"}', "{{service}}"),
        Panel("Records a second", "sum by (group) (rate(opposable_records_total[1m]))", "{{group}}", "ops"),
        Panel("Time of a batch, p99", quantile(0.99, "opposable_batch_seconds", "group"), "{{group}}", "s"),
        Panel("Batches put back", "sum by (group) (rate(opposable_rewinds_total[5m]))", "{{group}}", "ops"),
        Panel("Seconds since the last poll", "time() - min by (group) (opposable_last_poll_timestamp_seconds)", "{{group}}", "s"),
        Panel("Webhooks", "sum by (outcome) (increase(opposable_webhooks_total[1h]))", "{{outcome}}"),
        Panel("Messages to persons", "sum by (channel, outcome) (increase(opposable_messages_total[1h]))", "{{channel}} {{outcome}}"),
    )),
    Dashboard("opposable-topics", "Opposable: topics", (
        Panel("Records behind, by group", "sum by (group) (opposable_lag_records)", "{{group}}"),
        Panel("Records behind, by topic", "sum by (topic) (opposable_lag_records)", "{{topic}}"),
        Panel("Log entries a second, by topic", "sum by (topic) (rate(opposable_log_entries_total[5m]))", "{{topic}}", "ops"),
        Panel("Put aside, by code", "sum by (code) (rate(opposable_dead_total[5m]))", "{{code}}", "ops"),
    )),
    Dashboard("opposable-partners", "Opposable: partners", (
        Panel("Receipts a second", "sum by (status) (rate(opposable_receipts_total[5m]))", "{{status}}", "ops"),
        Panel("Verdict lines", "sum by (verdict) (rate(opposable_verdict_lines_total[5m]))", "{{verdict}}", "ops"),
        Panel("Reasons of verdicts", "topk(10, sum by (reason) (rate(opposable_verdict_reasons_total[5m])))", "{{reason}}", "ops"),
        Panel("Permissions told", "sum by (type) (increase(opposable_permissions_total[1h]))", "{{type}}"),
        Panel("Proofs handed over", "sum by (scope, format) (increase(opposable_proofs_delivered_total[1h]))", "{{scope}} {{format}}"),
    )),
)  # fmt: skip


def document(dashboard: Dashboard) -> dict[str, Any]:
    """The JSON model that Grafana provisions."""
    return {
        "uid": dashboard.uid, "title": dashboard.title, "tags": ["opposable"], "schemaVersion": SCHEMA_VERSION, "version": 1,
        "editable": False, "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "timezone": "browser",
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus", "current": {}}]},
        "panels": [_panel(number, panel) for number, panel in enumerate(dashboard.panels)],
    }  # fmt: skip


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "id": number + 1, "title": panel.title, "type": "stat" if panel.is_number else "timeseries", "datasource": source,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": WIDTH * (number % A_ROW), "y": HEIGHT * (number // A_ROW)},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "datasource": source, "expr": panel.expr, "legendFormat": panel.legend or "__auto"}],
    }  # fmt: skip
