"""`opposable registry queue list|approve|refuse`, `registry versions`, `registry sign`: what collectors submit themselves.

A submission waits here where no agreement delegates it (`self_service`). Approving publishes the document as submitted, so its
signature holds; refusing needs a reason, which the party is told. Exit codes: 0 done, 1 no such submission waits, 2 unusable.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.platform import REGISTRY_DECIDED
from shared.crypto.note import Signer, sign
from shared.errors import ConfigurationError
from shared.instants import from_millis
from shared.kafka.connection import client_options
from shared.kafka.publisher import Outgoing, Publisher
from shared.registry.load import load_dir
from shared.registry.publish import publish
from shared.registry.submissions import State, Submission, decided, fold, note_text
from shared.settings import Settings, read_secret
from shared.topics import OUT_REQUESTS, SUBMISSIONS

READ_S = 60.0
Identity = Annotated[str, typer.Argument(help="The submission, as `queue list` shows it.")]
Everything = Annotated[bool, typer.Option("--all", help="Decided ones too.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    registry = group(app, "registry", "Parties, agreements, lists, forms and notices.")
    queue = typer.Typer(
        no_args_is_help=True, help="Documents that collectors submitted and that wait for the operator."
    )
    queue.command("list")(list_queue)
    queue.command("approve", epilog="Example: opposable registry queue approve 3f2a…")(approve)
    queue.command("refuse", epilog='Example: opposable registry queue refuse 3f2a… --reason "illegible"')(refuse)
    registry.add_typer(queue, name="queue")
    registry.command("sign", epilog="Example: opposable registry sign list.yaml --party acme --seed-dir keys")(
        sign_file
    )


def list_queue(everything: Everything = False, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List what waits."""
    found = [s for s in run(read(settings_of(resolve(data_dir)))).values() if everything or s.state == "queued"]
    if as_json:
        print_json({"submissions": [submission.as_dict() for submission in found]})
        return
    for submission in found:
        typer.echo(
            f"{submission.id}  {submission.state:8} {submission.key}  {submission.party}  {submission.reason or ''}"
        )
    typer.echo(tr(f"{len(found)} submissions", f"{len(found)} soumissions"), err=True)


def approve(identity: Identity, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Publish a submitted document."""
    _decide(identity, "applied", None, data_dir, as_json=as_json)


def refuse(
    identity: Identity,
    reason: Annotated[str, typer.Option("--reason", help="Told to the party.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a submitted document; the party is told why."""
    _decide(identity, "refused", reason, data_dir, as_json=as_json)


def sign_file(
    file: Annotated[Path, typer.Argument(exists=True, help="YAML file with one form, list or notice.")],
    party: Annotated[str, typer.Option("--party", help="The name of the key: the party's id.")],
    seed_dir: Annotated[
        Path, typer.Option("--seed-dir", exists=True, help="Directory that holds the 32-byte seed `registry.seed`.")
    ],
) -> None:
    """Write the body of `POST /v1/registry`: the document and its signature by the party's key."""
    documents = load_dir(file)
    if len(documents) != 1:
        raise ConfigurationError("one document a submission: the file must hold exactly one")
    document = documents[0].body
    note = sign(note_text(document), [Signer(party, read_secret(seed_dir, "registry.seed"))])
    typer.echo(orjson.dumps({"document": document, "signature": note.decode()}).decode())


def _decide(identity: str, state: State, reason: str | None, data_dir: Path | None, *, as_json: bool) -> None:
    settings = settings_of(resolve(data_dir))

    async def work() -> Submission | None:
        found = await read(settings)
        submission = found.get(identity)
        if submission is None or submission.state != "queued":
            return None
        if state == "applied":
            report = await publish(settings, [(submission.key, dict(submission.document))])
            if report.refused:
                raise ConfigurationError(f"{submission.key} is published with another body: refuse the submission")
        await answer(settings, submission, state, reason)
        return submission

    done = run(work())
    if done is None:
        typer.echo(tr("no such submission waits", "aucune soumission de ce nom n'attend"), err=True)
        raise typer.Exit(NEGATIVE)
    if as_json:
        print_json({**done.as_dict(), "state": state, "reason": reason})
    else:
        typer.echo(f"{done.key}: {state}")


async def answer(settings: Settings, submission: Submission, state: State, reason: str | None) -> None:
    """Record a decision, and tell the party."""
    body: dict[str, Any] = {"submission": submission.id, "key": submission.key, "state": state, "reason": reason}
    identity = hashlib.sha256(f"{REGISTRY_DECIDED}\0{submission.id}".encode()).hexdigest()[:40]
    headers = tuple(to_headers(Envelope(identity, "opposable/operator", REGISTRY_DECIDED)))
    publisher = Publisher(settings, "operator")
    await publisher.start()
    try:
        await publisher.send_all([
            Outgoing(SUBMISSIONS.name, submission.key.encode(), canonical.dumps(decided(submission, state, reason))),
            Outgoing(OUT_REQUESTS.of(submission.party), submission.key.encode(), canonical.dumps(body), headers),
        ])  # fmt: skip
    finally:
        await publisher.stop()


async def read(settings: Settings) -> dict[str, Submission]:
    """Every submission, as it stands."""
    partition = TopicPartition(SUBMISSIONS.name, 0)
    consumer = AIOKafkaConsumer(
        **client_options(settings, "registry-queue"), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        records = []
        async with asyncio.timeout(READ_S):
            while await consumer.position(partition) < end:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    records += [(orjson.loads(record.value), from_millis(record.timestamp)) for record in batch]
        return fold(records)
    finally:
        await consumer.stop()
