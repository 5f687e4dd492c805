"""The acts of a demonstration in order, on a running system, and what is found when everything is counted again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli import demo_promises as promises
from services.cli import demo_reach as reach
from services.cli.demo_cast import Cast
from services.cli.demo_ledger import Ledger, TopicReader, read_all
from services.cli.demo_log import all_covered, archive_adds_up, read_archive
from services.cli.demo_mail import Mailbox
from services.cli.demo_outcome import Outcome
from services.cli.demo_person import persons_read
from services.cli.demo_picture import Picture, picture
from services.cli.demo_privacy import nothing_in_clear
from services.cli.demo_proof import BUNDLE, no_proof, prove
from services.cli.demo_run import Play, count
from services.cli.demo_stream import Line
from services.cli.demo_text import Words
from services.cli.target import settings_of
from shared.auth import OPERATOR_TOKEN_FILE
from shared.crypto.policy import Policy, parse_policy
from shared.errors import Unavailable
from shared.local_engines.endpoints import Endpoints
from shared.provisioning import wanted_topics
from shared.registry.load import load_dir

RECOUNT_S = 20.0
"""How long the last checkpoint may lag behind the last record before the count is made all the same."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration plays."""

    endpoints: Endpoints
    directory: Path
    registry: Path
    screen: Console
    words: Words
    mailbox: Mailbox


async def perform(stage: Stage, lines: Sequence[Line], withdrawals: Sequence[Line]) -> Outcome:
    """Play every act, then count."""
    parties = {d.body["id"]: d.body for d in load_dir(stage.registry) if d.body["kind"] == "party"}
    topics = [name for name, _ in wanted_topics(parties)]
    policy = parse_policy((stage.directory / "policy").read_text())
    cast = Cast(settings_of(stage.endpoints), parties)
    with _bars(stage.screen) as bars:
        async with TopicReader(stage.endpoints.kafka, topics) as reader:
            play = Play(stage.endpoints.kafka, reader, policy, cast, bars, stage.words)
            await play.consents(lines)
            async with cast:
                await play.withdrawals(withdrawals)
                await play.reimports(lines)
                await play.quiet()
        read = await persons_read(stage.endpoints, stage.mailbox, withdrawals)
        recount = bars.add_task(stage.words("checking"), total=2)
        ledger = await _recount(stage.endpoints.kafka, topics, policy)
        bars.advance(recount)
        outcome = await _judge(stage, play, cast, ledger, policy, parties)
        outcome.promises.insert(-2, read)
        bars.advance(recount)
        return outcome


async def _recount(kafka: str, topics: Sequence[str], policy: Policy) -> Ledger:
    """Everything from the beginning, by a new reader, once the newest checkpoints cover it."""
    end = time.monotonic() + RECOUNT_S
    while True:
        ledger = await read_all(kafka, topics)
        answered = count(ledger, "out.", ".receipts") >= count(ledger, "in.")
        if (answered and all_covered(ledger, policy)) or time.monotonic() > end:
            return ledger


async def _judge(
    stage: Stage, play: Play, cast: Cast, ledger: Ledger, policy: Policy, parties: dict[str, dict[str, object]]
) -> Outcome:
    seen, sent = picture(ledger), play.played.sent
    token = (stage.endpoints.secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    archive_url = stage.endpoints.url("proof_archive")
    archive = await read_archive(archive_url, token, ledger, policy)
    folder = stage.directory / "proof"
    try:
        proof = await prove(archive_url, token, _worth_proving(seen), stage.directory / "policy", folder)
    except (Unavailable, httpx.HTTPError) as error:
        proof = no_proof(error)
    logs = (stage.directory / "logs").glob("*.log")
    unfinished = sorted({stage.words(label) for label in play.played.unfinished})
    return Outcome(
        seen=seen,
        archive=archive,
        follow=reach.follow(seen),
        behaviours=cast.behaviours,
        names={party: str(body["legal_name"]) for party, body in parties.items()},
        prospectors=[party for party, body in parties.items() if "prospector" in str(body["roles"])],
        statuses=seen.statuses_of(sent),
        promises=[
            promises.every_input_answered(seen),
            promises.receipts_as_expected(seen, sent),
            promises.rejected_are_kept(seen, sent),
            promises.nothing_lost(seen, archive.entries),
            promises.verdicts_as_expected(seen, sent),
            promises.every_line_told(seen),
            reach.everyone_told(seen, sent),
            reach.orders_followed(seen, cast.behaviours),
            reach.owed_is_named(seen, await _obligations(stage, token)),
            promises.reimports_held(seen, sent),
            archive_adds_up(archive),
            *proof,
            nothing_in_clear(ledger, list(sent.values()), logs),
            promises.promise("timely", unfinished),
        ],
        proof=folder / BUNDLE,
    )


async def _obligations(stage: Stage, token: str) -> list[dict[str, Any]]:
    """Everything that waits for someone, as the operator sees it."""
    async with httpx.AsyncClient(base_url=stage.endpoints.url("rights_handler"), timeout=30) as client:
        answer = await client.get("/v1/obligations", headers={"Authorization": f"Bearer {token}"})
    return list(answer.raise_for_status().json()["obligations"])


def _bars(screen: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=screen)


def _worth_proving(seen: Picture) -> str:
    """The record with the richest story: the one that most stop orders are about, else any."""
    orders = Counter(order.consent for order in seen.orders.values())
    return max(seen.consents, key=lambda record: (orders[record.partition("/")[2]], record), default="")
