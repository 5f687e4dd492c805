"""What may be used now: a function of everything you were told, never of the order in which it came. Nothing to install.

Instants are RFC 3339 in UTC with milliseconds, always as long: comparing the texts compares the instants.
"""

import json
from datetime import datetime, timezone


class Fold:
    """Your permissions and stops. They outlive your process: in your database; here in a file, or in memory."""

    def __init__(self, file=None):
        kept = json.loads(file.read_text()) if file is not None and file.exists() else {"lines": {}, "stops": {}}
        self.file = file
        self.lines = kept["lines"]  # record, channel, purpose, sector -> the last word on it
        self.stops = kept["stops"]  # order_id -> the order

    def save(self):
        """Before you acknowledge and before you commit: what is lost here is asked of nobody again."""
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"lines": self.lines, "stops": self.stops}))
        new.replace(self.file)

    def take(self, kind, data):
        """One event of your permissions or withdrawals."""
        if kind == "opposable.stop.ordered.v1":
            self.stops[data["order_id"]] = data  # also about a person you do not know: the permission may come later
        elif kind.startswith("opposable.permission."):
            line = " ".join((data["record"], data["channel"], data["purpose"], data["sector"]))
            self.lines[line] = {**data, "granted": kind == "opposable.permission.granted.v1"}

    def may(self, channel, purpose="prospecting", *, consent_id=None, match_key=None, now=None):
        """Whether this person may be contacted at `now`."""
        now = now or datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return any(
            line["granted"]
            and (line["channel"], line["purpose"]) == (channel, purpose)
            and (line["consent_id"] == consent_id or match_key in keys(line))
            and line["collected_at"] <= now < line["valid_until"]
            and not any(covers(stop, line) for stop in self.stops.values())
            for line in self.lines.values()
        )

    def knows(self, stop):
        """Whether an order is about someone you were told of: then `applied`, else `unknown_person`."""
        return any(concerns(stop, line) for line in self.lines.values())


def covers(stop, line):
    """Same person, in scope, and not older than the consent: at the same instant the stop wins."""
    in_scope = all(
        stop[s] == "all" or line[v] in stop[s] for s, v in (("channels", "channel"), ("purposes", "purpose"))
    )
    return concerns(stop, line) and in_scope and stop["at"] >= line["collected_at"]


def concerns(stop, line):
    """Same consent, or a contact in common."""
    return line["consent_id"] in stop.get("consent_ids", ()) or bool(keys(line) & keys(stop))


def keys(told):
    """Match keys of a permission or an order."""
    return {one["key"] for one in told.get("match_keys", ())}
