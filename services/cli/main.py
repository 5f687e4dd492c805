"""The `opposable` command: one module per command, imported only when it is asked for.

Exit codes, everywhere: 0 done, 1 the answer is no (a bundle that does not verify, a check that fails), 2 the input or the
system cannot be used; the reason is one sentence on standard error.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal

import typer

from services.cli.language import choose, tr
from shared.errors import InputError, OpposableError

COMMANDS: dict[str, tuple[str, ...]] = {
    "demo": ("demo",),
    "up": ("up",),
    "assess": ("assess",),
    "check": ("check",),
    "tcf": ("tcf",),
    "rules": ("rules", "rules_replay", "rules_docs"),
    "registry": ("registry_check", "registry_apply", "registry_queue", "registry_versions"),
    "form": ("form",),
    "reassess": ("reassess",),
    "topics": ("topics",),
    "mongo": ("mongo",),
    "party": ("party", "party_simulate", "party_check", "party_standing", "topics_access"),
    "erase": ("erase",),
    "hold": ("hold",),
    "review": ("review",),
    "breach": ("breach",),
    "stop": ("stop", "stop_new", "stop_operations", "stop_import.command"),
    "request": ("request",),
    "notices": ("informing",),
    "webhook": ("webhook",),
    "message": ("message",),
    "proof": ("proof", "proof_sla"),
    "consents": ("consents.import_", "consents.export"),
    "evidence": ("evidence",),
    "verify": ("verify",),
    "witness": ("witness",),
    "fsck": ("fsck",),
    "backup": ("backup",),
    "keys": ("keys", "keys_escrow", "keys_rotate", "keys_match"),
    "dead": ("dead",),
    "console": ("console",),
    "contracts": ("contracts",),
    "monitoring": ("monitoring",),
    "register": ("register",),
    "subprocessor": ("subprocessor",),
}
"""Each command and the modules of this package that make it (a module that a deployment leaves out is skipped)."""

EPILOG = """
Examples: opposable up --data-dir .opposable · opposable party list · opposable dead list --json ·
opposable verify proof.zip --policy .opposable/policy
"""
UNUSABLE = 2


def wanted(words: Iterable[str]) -> list[str]:
    """The modules to import for a command line: those of the command it names, all where it names none."""
    named = [word for word in words if word in COMMANDS]
    return [module for command in (named[:1] or COMMANDS) for module in COMMANDS[command]]


def build(words: Sequence[str] = ()) -> typer.Typer:
    """The command line's application, with the commands that `words` needs."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        epilog=EPILOG,
        help="Prove consent to commercial prospecting, and make its withdrawal take effect everywhere.",
    )
    app.callback()(_global)
    for module in wanted(words):
        name = f"services.cli.{module}"
        if importlib.util.find_spec(name) is not None:
            register = getattr(importlib.import_module(name), "register", None)
            if register is not None:
                register(app)
    return app


def run() -> None:
    """Entry point. Turns the errors raised on purpose into one sentence and exit code 2."""
    # Client libraries log what they will retry; what matters comes as an error with a sentence.
    for library in ("aiokafka", "pymongo", "asyncio"):
        logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        build(sys.argv[1:])()
    except InputError as error:
        for problem in error.problems:
            typer.echo(f"{problem.code} {problem.pointer or '-'}: {problem.message}", err=True)
        sys.exit(UNUSABLE)
    except OpposableError as error:
        typer.echo(f"{tr('error', 'erreur')} [{error.code}] {error}", err=True)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        sys.exit(130)


def _show_version(asked: bool) -> None:
    if asked:
        try:
            typer.echo(f"opposable {version('opposable')}")
        except PackageNotFoundError:
            typer.echo("opposable (not installed)")
        raise typer.Exit


def _global(
    lang: Annotated[Literal["fr", "en"] | None, typer.Option("--lang", help="Language of the messages.")] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    choose(lang)


if __name__ == "__main__":
    run()
