"""Publishes batches by `POST /v1/events` with the party's own key, and waits for what became of each: its receipt."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx

from services.cli.rights_client import KEY_VARIABLE
from services.cli.target import url_variable
from shared.errors import ConfigurationError, OpposableError, Unavailable

TRIES = 6
PAUSE_S = 2.0
RECEIPTS_WITHIN_S = 120.0
PAGE = 500
BUSY = (408, 429)


class FeedGapError(OpposableError):
    """Events after the cursor were deleted: their retention has passed. `earliest`: the cursor to go on from."""

    code = "FEED-GAP"

    def __init__(self, sentence: str, earliest: str) -> None:
        super().__init__(sentence)
        self.earliest = earliest


class PartyHttp:
    """The collector's HTTP, as one party."""

    def __init__(self, url: str, key: str, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False, transport=transport)
        self._after: str | None = None

    def publish(self, events: list[dict[str, Any]]) -> None:
        """Store a batch. The same events again count once, so it is repeated in doubt.

        Raises Unavailable; ConfigurationError where the key is not this party's.
        """
        results = self._call("POST", "/v1/events", json=events)["results"]
        problems = [problem for one in results for problem in one.get("problems", ())]
        if problems:
            raise ConfigurationError(f"{problems[0]['code']} {problems[0]['pointer']}: {problems[0]['message']}")

    def follow_receipts(self) -> None:
        """From now on."""
        self._after = self._call("GET", "/v1/feed/receipts", params={"after": "end"})["next"]

    def receipts(self, wanted: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The receipts of these events. Raises Unavailable where they do not come."""
        missing, found = set(wanted), dict[str, Mapping[str, Any]]()
        until = time.monotonic() + RECEIPTS_WITHIN_S
        while missing:
            if time.monotonic() > until:
                raise Unavailable(f"{len(missing)} receipts did not come: run it again, it goes on where it stood")
            params = {"wait": 10, "limit": PAGE, "after": self._after or "end"}
            page = self._call("GET", "/v1/feed/receipts", params=params)
            for event in page["events"]:
                name = event["data"]["event_id"]
                if name in missing:
                    missing.discard(name)
                    found[name] = event["data"]
            self._after = page["next"]
        return found

    def pages(self, feed: str, after: str | None) -> Iterator[tuple[list[dict[str, Any]], str]]:
        """Every page up to the present end: its events, and the cursor behind them. Raises FeedGapError."""
        while True:
            params: dict[str, Any] = {"limit": PAGE, **({"after": after} if after else {})}
            page = self._call("GET", f"/v1/feed/{feed}", params=params)
            after = str(page["next"])
            yield page["events"], after
            if page["at_end"]:
                return

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE_S * attempt)
            try:
                answer = self._client.request(method, path, **options)
            except httpx.HTTPError as error:
                reason = type(error).__name__
                continue
            if answer.is_success or (path == "/v1/events" and answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY):
                return dict(answer.json())
            reason = f"{answer.status_code} {answer.json().get('title', '')}"
            if answer.status_code == httpx.codes.GONE:
                raise FeedGapError(reason, answer.json()["earliest"])
            if answer.is_client_error and answer.status_code not in BUSY:
                raise ConfigurationError(reason)
        raise Unavailable(f"the collector does not take this: {reason}")


def party_http(url: str | None, key: str | None) -> PartyHttp:
    """Raises ConfigurationError saying what to give."""
    if not url:
        raise ConfigurationError(f"which platform? Give --url or {url_variable('collector')}")
    if not key:
        raise ConfigurationError(
            f"set {KEY_VARIABLE} to the party's key (or {KEY_VARIABLE}_FILE to a file that holds it)"
        )
    return PartyHttp(url.rstrip("/"), key.strip())
