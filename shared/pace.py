"""How often one party may ask: a bucket of tokens that fills again with time. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.problems import Refusal


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    waiting: int = 0


class Pace:
    """`per_second` requests on average, `burst` at once, `waits` long polls at a time, each party apart."""

    def __init__(
        self, per_second: float, burst: int, waits: int, monotonic: Callable[[], float], what: str = "requests"
    ) -> None:
        self._what = what
        self._rate, self._burst, self._waits, self._now = per_second, burst, waits, monotonic
        self._buckets: dict[str, _Bucket] = {}

    def take(self, party: str, count: int = 1) -> None:
        """Count so many. Raises 429 where there were too many; a count beyond what is allowed at once is never let in."""
        now = self._now()
        bucket = self._buckets.setdefault(party, _Bucket(float(self._burst), now))
        bucket.tokens = min(float(self._burst), bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.tokens < count:
            wait = (count - bucket.tokens) / self._rate
            raise Refusal(
                429,
                "RATE",
                f"More than {self._rate:g} {self._what} a second: try again in {wait:.0f} s",
                retry_after_s=wait,
            )
        bucket.tokens -= count

    def begin_wait(self, party: str) -> None:
        """Count a long poll. Raises 429 where too many are open."""
        bucket = self._buckets.setdefault(party, _Bucket(float(self._burst), self._now()))
        if bucket.waiting >= self._waits:
            raise Refusal(429, "RATE", f"More than {self._waits} requests wait already: one for each feed is enough")
        bucket.waiting += 1

    def end_wait(self, party: str) -> None:
        """A long poll has ended."""
        self._buckets[party].waiting -= 1
