"""Wiring of the eraser; no logic."""

from __future__ import annotations

from services.eraser.confirmations import KafkaConfirmations
from services.eraser.handlers import Destroying
from services.eraser.settings import EraserSettings
from shared.keyring.ring import Fixed
from shared.service import Context, run_service
from shared.topics import ERASURES
from shared.vault import Vault

GROUP = "eraser"


async def build(context: Context) -> None:
    """Wire the eraser into a context."""
    settings = context.settings
    assert isinstance(settings, EraserSettings)  # noqa: S101 - wiring, not input
    vault = Vault(context.mongo, Fixed({}))  # it destroys keys and can open none
    confirmations = KafkaConfirmations(settings, settings.trust_file, context.registry, context.log)
    destroying = Destroying(
        vault=vault, confirmations=confirmations, publisher=context.publisher, clock=context.clock,
        wait_s=settings.eraser_wait_s, log=context.log,
    )  # fmt: skip
    context.background("checkpoints", confirmations.follow)
    context.consume(topics=[ERASURES.name], group=GROUP, process=destroying.process, isolate=False)

    async def waits() -> list[str]:
        return list(destroying.waiting)

    context.checks.append(waits)


def main() -> None:
    """Run the eraser."""
    run_service("eraser", EraserSettings(), build)
