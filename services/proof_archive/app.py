"""Wiring of the proof archive; no logic."""

from __future__ import annotations

from datetime import timedelta

from services.proof_archive.api import ProofRoutes, make_router
from services.proof_archive.attestation.render import Renderer
from services.proof_archive.checkpoints.standing import Standing
from services.proof_archive.delivering.api import DeliveryRoutes, make_delivery_router
from services.proof_archive.delivering.demands import Demands
from services.proof_archive.delivering.history import History
from services.proof_archive.delivering.level import Level
from services.proof_archive.delivering.making import Making
from services.proof_archive.delivering.outbox import Outbox
from services.proof_archive.delivering.tallies import Tallies
from services.proof_archive.delivering.watching import Watching
from services.proof_archive.dossier_api import DossierRoutes, make_dossier_router
from services.proof_archive.evidence.api import EvidenceRoutes, make_evidence_router
from services.proof_archive.evidence.files import Files
from services.proof_archive.evidence.joined import Joining
from services.proof_archive.evidence.owed import Owed
from services.proof_archive.evidence.rounds import rounds
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.origins import origins_of
from services.proof_archive.log.ownership import Ownership
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.sequencer import Sequencer
from services.proof_archive.log.store import Store
from services.proof_archive.log_api import make_log_router
from services.proof_archive.proofs import Proofs
from services.proof_archive.reassessing.api import ReassessmentRoutes
from services.proof_archive.reassessing.rounds import Rounds
from services.proof_archive.reassessing.store import Reassessments
from services.proof_archive.settings import ArchiveSettings
from services.proof_archive.timestamps.kept import KeptStamps, Stamps
from shared.auth import Authenticator, operator_digest
from shared.crypto.note import Signer
from shared.crypto.policy import BUNDLE_SUFFIX
from shared.keyring.ring import Ring
from shared.service import Context, run_service
from shared.settings import read_secret
from shared.tickets import Tickets
from shared.topics import ARCHIVED
from shared.vault import Vault

GROUP = "proof_archive"


async def build(context: Context) -> None:
    """Wire the archive into a context."""
    settings = context.settings
    assert isinstance(settings, ArchiveSettings)  # noqa: S101 - wiring, not input
    store, reader = Store(context.mongo), Reader(context.mongo)
    halts = Halts("sequencer", store, context.clock, context.metrics, context.log)
    ownership = Ownership(store, origins_of(settings.deployment, context.registry), halts, context.log)
    files = Files(context.mongo)
    owed = Owed(context.mongo, files, timedelta(days=settings.evidence_due_days))
    sequencer = Sequencer(store, ownership, metrics=context.metrics, log=context.log, cite=owed.cite)
    outbox = Outbox(context.mongo, context.publisher, context.clock, context.metrics, context.log)
    tallies = Tallies(context.mongo)
    demands = Demands(context.mongo, tallies, lambda: context.registry.view, context.clock, context.metrics)
    watching = Watching(
        context.mongo, reader, tallies, lambda: context.registry.view, deployment=settings.deployment,
        clock=context.clock, metrics=context.metrics, log=context.log,
    )  # fmt: skip
    outbox.settle.append(demands.settle)
    for prepare in (
        store.prepare, files.prepare, owed.prepare, outbox.prepare, tallies.prepare, demands.prepare,
    ):  # fmt: skip
        context.on_start(prepare)
    context.background("evidence", lambda: rounds(owed, files, context.clock, context.log))
    context.background("deliveries", outbox.run)
    context.background("sla", watching.run)
    context.consume(
        topics=[row.name for row in ARCHIVED], group=GROUP, process=sequencer.process, on_assigned=sequencer.assigned,
        isolate=False, max_records=settings.batch_records,
    )  # fmt: skip

    async def halted() -> list[str]:
        return sequencer.problems()

    context.checks.append(halted)
    keys = Ring(settings.secrets_dir, "kek")
    vault = Vault(context.mongo, keys)
    bundle_key = Signer(settings.deployment + BUNDLE_SUFFIX, read_secret(settings.secrets_dir, "bundle.seed"))
    standing = Standing(reader, settings.trust_file, context.clock, settings.proof_due_s)
    kept = KeptStamps(context.mongo, settings.deployment)
    joining = Joining(files, owed, vault, settings.evidence_bundle_bytes)
    proofs = Proofs(
        reader,
        vault,
        deployment=settings.deployment,
        signer=bundle_key,
        standing=standing,
        joining=joining,
        stamps=Stamps(kept, reader),
    )
    auth = Authenticator(context.registry, context.clock, operator_digest(settings.secrets_dir))
    making = Making(proofs, Renderer(), standing, outbox, context.clock, context.log)
    routes = ProofRoutes(
        auth, proofs, context.registry, context.clock, settings, context.log,
        publisher=context.publisher, making=making, demands=demands,
    )  # fmt: skip
    level = Level(tallies, demands, lambda: context.registry.view, context.clock, routes.available)
    routes.also_owed += [owed.by_owner, kept.obligations, outbox.owed, level.obligations]
    history = History(context.mongo, reader, settings.deployment)
    deliveries = DeliveryRoutes(auth, history, level, Tickets(keys, context.clock), routes.for_person)
    evidence = EvidenceRoutes(
        auth, files, owed, vault, clock=context.clock, most=settings.evidence_file_bytes, carried=routes.carried
    )
    again = Reassessments(context.mongo)
    assessing = Rounds(
        context.mongo, reader, again, context.publisher, lambda: context.registry.view, context.clock,
        settings.deployment, context.log,
    )  # fmt: skip
    context.on_start(again.prepare)
    context.background("reassessments", assessing.run)
    context.app.include_router(make_router(routes))
    context.app.include_router(ReassessmentRoutes(auth, assessing, again, context.clock).router())
    context.app.include_router(make_evidence_router(evidence))
    context.app.include_router(make_delivery_router(deliveries))
    context.app.include_router(make_dossier_router(DossierRoutes(auth, proofs)))
    context.app.include_router(make_log_router(auth, reader))


def main() -> None:
    """Run the proof archive."""
    run_service("proof_archive", ArchiveSettings(), build)
