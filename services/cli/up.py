"""`opposable up`: the whole system on this machine, engines and services, until Ctrl-C.

Everything lives in one data directory (`kafka/`, `mongo/`, `secrets/`, `state/`, `logs/`, `policy`, `endpoints.json`);
starting again on it resumes.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from services.cli.language import tr
from services.cli.target import DEFAULT_DATA_DIR, AsJson, print_json, settings_of
from shared.access.provision import apply_access, give_credentials
from shared.errors import ConfigurationError, Unavailable
from shared.local_engines.choose import Wishes
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.engine import MONGODB
from shared.local_engines.kafka_secure import SecureFiles
from shared.local_engines.plan import ROOT, Plan, ServiceSpec
from shared.local_engines.supervisor import READY_WITHIN_S, Supervisor
from shared.mongo_access.provision import apply_mongo
from shared.provisioning import provision
from shared.registry.load import load_dir
from shared.registry.publish import registered_parties

EXAMPLE = Path("deploy") / "example" / "registry"
INTERNAL_PARTITIONS, PARTY_PARTITIONS = 3, 1
"""Locally; 12 and 3 in production."""


def _python(module: str) -> tuple[str, ...]:
    return sys.executable, "-m", module


SERVICES = (
    ServiceSpec("console", _python("services.console")),
    ServiceSpec("notifier", _python("services.notifier")),
    ServiceSpec("webhook_relay", _python("services.webhook_relay")),
    ServiceSpec("eraser", _python("services.eraser")),
    ServiceSpec("signer", _python("services.proof_archive.signer"), single=True),
    ServiceSpec("proof_archive", _python("services.proof_archive")),
    ServiceSpec("rights_handler", _python("services.rights_handler")),
    ServiceSpec("consent_validator", _python("services.consent_validator")),
    ServiceSpec("collector", _python("services.collector")),
)
"""In the order they start, which is against the stream: what flows in finds its consumers, and stops flowing first."""


LOCAL = {"OPPOSABLE_WEBHOOK_ALLOW_LOOPBACK": "true"}
"""Everything here is on this machine, partners that are tried out too."""


def example_registry() -> Path | None:
    """The example registry beside us, in the current directory or in the project's, where there is one."""
    return next((path for path in (EXAMPLE, ROOT / EXAMPLE) if path.is_dir()), None)


def system_plan(
    data_dir: Path,
    *,
    registry: Path | None = None,
    services: tuple[ServiceSpec, ...] = SERVICES,
    wishes: Wishes | None = None,
    http_port: int | None = None,
    instances: int = 1,
    environment: Mapping[str, str] | None = None,
    internal_partitions: int = INTERNAL_PARTITIONS,
    party_partitions: int = PARTY_PARTITIONS,
) -> Plan:
    """The plan of a whole system: topics and the registry of `registry` are made between engines and services."""
    return Plan(
        data_dir=data_dir.resolve(),
        services=services,
        prepare=provisioner(registry, internal_partitions, party_partitions),
        wishes=wishes or Wishes(),
        http_port=http_port,
        instances=instances,
        environment=LOCAL | dict(environment or {}),
    )


def provisioner(
    registry: Path | None, internal_partitions: int, party_partitions: int
) -> Callable[[Endpoints], Awaitable[None]]:
    """What stands between engines and services: topics, incarnations, registry."""
    documents = [(document.key, document.body) for document in load_dir(registry)] if registry is not None else []

    async def prepare(endpoints: Endpoints) -> None:
        try:
            await provision(
                settings_of(endpoints),
                registry_documents=documents,
                internal_partitions=internal_partitions,
                party_partitions=party_partitions,
            )
            if endpoints.security:
                await _secure(endpoints)
            if endpoints.mongo_security:
                await apply_mongo(settings_of(endpoints), endpoints.secrets_dir / MONGODB)
        except OSError as error:
            raise Unavailable(f"Kafka does not answer at {endpoints.kafka}") from error

    return prepare


async def _secure(endpoints: Endpoints) -> None:
    """Credentials for every service and registered party of a Kafka of ours, and what each may do."""
    settings = settings_of(endpoints)
    parties = await registered_parties(settings)
    await give_credentials(settings, parties, SecureFiles(endpoints.secrets_dir / "kafka").password)
    await apply_access(settings, parties)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up", epilog="Example: opposable up --data-dir .opposable --http-port 8100 --instances 2")(up)


def up(
    *,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", envvar="OPPOSABLE_DATA_DIR", help="Where everything is kept.")
    ] = DEFAULT_DATA_DIR,
    registry: Annotated[
        Path | None, typer.Option("--registry", help="YAML files to publish. Default: the example registry.")
    ] = None,
    kafka_port: Annotated[int | None, typer.Option("--kafka-port", help="Default: a free one, remembered.")] = None,
    mongo_port: Annotated[int | None, typer.Option("--mongo-port", help="Default: a free one, remembered.")] = None,
    http_port: Annotated[
        int | None, typer.Option("--http-port", help="First HTTP port: the collector's, then the other services'.")
    ] = None,
    instances: Annotated[int, typer.Option("--instances", min=1, help="Processes of each service.")] = 1,
    kafka_heap: Annotated[
        int | None, typer.Option("--kafka-heap", min=128, help="Kafka's heap in MB (256; give 512 under load).")
    ] = None,
    secured: Annotated[
        bool,
        typer.Option(
            "--secured", help="Kafka (SASL over TLS) and MongoDB ask everyone for credentials and hold who may do what."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start Kafka, MongoDB and every service; Ctrl-C stops all of it in order."""
    plan = system_plan(
        data_dir,
        registry=registry or example_registry(),
        wishes=Wishes(kafka_port=kafka_port, mongo_port=mongo_port, kafka_heap_mb=kafka_heap, secured=secured),
        http_port=http_port,
        instances=instances,
    )
    ignore_itself(data_dir)
    stop_on_signals()
    supervisor = Supervisor(plan, sys.stderr)
    try:
        supervisor.start()
        endpoints = _until_ready(supervisor)
        print_json(endpoints.as_dict()) if as_json else _introduce(endpoints, data_dir)
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo(tr("stopping …", "arrêt …"), err=True)
    finally:
        supervisor.stop()


def _until_ready(supervisor: Supervisor) -> Endpoints:
    while True:
        try:
            return supervisor.wait_ready(READY_WITHIN_S)
        except Unavailable as error:  # services go on being started: say what they wait for, and wait on
            typer.echo(f"{tr('still waiting', 'encore en attente')}: {error}", err=True)


def _introduce(endpoints: Endpoints, data_dir: Path) -> None:
    rows = {"kafka": endpoints.kafka, "mongodb": endpoints.mongodb}
    rows |= {name: at.url for name, at in endpoints.services.items()}
    typer.echo(tr("ready:", "prêt :"))
    for name, address in rows.items():
        typer.echo(f"  {name:<18} {address}")
    for sentence in console_sentences(endpoints, data_dir):
        typer.echo(sentence)
    typer.echo(tr(f"addresses in {data_dir}/endpoints.json, trust file {data_dir}/policy",
                  f"adresses dans {data_dir}/endpoints.json, fichier de confiance {data_dir}/policy"))  # fmt: skip


def console_sentences(endpoints: Endpoints, data_dir: Path) -> list[str]:
    """Where the operator's console is, and how its first account is made."""
    if "console" not in endpoints.services:
        return []
    command = f"opposable console user add NAME --role operator --data-dir {data_dir}"
    return [
        tr(f"operator's console: {endpoints.url('console')}", f"console d’exploitation : {endpoints.url('console')}"),
        tr(f"  its first account: {command}", f"  son premier compte : {command}"),
    ]


def ignore_itself(data_dir: Path) -> None:
    """Keep version control away from a data directory: it holds secrets. Raises ConfigurationError where it is a file."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (data_dir / ".gitignore").write_text("*\n")
    except OSError as error:
        raise ConfigurationError(f"{data_dir} cannot be used as a data directory: {error.strerror}") from error


def stop_on_signals() -> None:
    """Make SIGTERM and SIGHUP what Ctrl-C is: an interruption of the main thread."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
