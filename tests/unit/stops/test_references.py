"""Whose reference is it? A collector's own, or one that the sender names; else nobody can be found by it, and that is said."""

from datetime import UTC, datetime

import orjson
import pytest

from shared.contracts.envelope import Envelope
from shared.intake.accept import accept
from shared.registry.view import RegistryView

NOW = datetime(2026, 10, 2, 18, 0, tzinfo=UTC)


def registry():
    view = RegistryView()
    for name, siren, role in (("acme", "999000011", "collector"), ("canalvert", "999000029", "prospector")):
        body = {"kind": "party", "id": name, "legal_name": name, "siren": siren, "country": "FR", "roles": [role]}
        view.apply(f"party:{name}", body, offset=-1, archived_at=None)
    return view


def stop(source, **body):
    return accept(
        Envelope("e", source, "opposable.stop.requested.v1"), orjson.dumps(body), party=source, received_at=NOW,
        registry=registry(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "body", "lost"),
    [
        ("acme", {"subject_ref": "lead-1"}, False),
        ("canalvert", {"subject_ref": "lead-1", "collector": "acme"}, False),
        ("canalvert", {"source_ref": "lead-1", "collector": "acme"}, False),
        ("canalvert", {"subject_ref": "lead-1"}, True),
        ("canalvert", {"subject_ref": "lead-1", "collector": "inconnu"}, True),
        ("platform", {"subject_ref": "lead-1"}, True),
        ("canalvert", {"subject_ref": "lead-1", "contacts": ["a@exemple.example"]}, False),
        ("canalvert", {"subject_ref": "lead-1", "record": "0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"}, False),
    ],
)
def test_a_reference_that_finds_nobody_is_said_to(source, body, lost):
    assert stop(source, **body).facts["lost_reference"] is lost


def test_a_source_ref_is_the_collectors_own_reference():
    sealed = stop("canalvert", source_ref="lead-1", collector="acme").sealed
    assert (sealed["subject_ref"], sealed["collector_ref"]) == ("lead-1", "acme")


def test_the_operators_reference_is_sealed_and_the_receiver_a_fact():
    accepted = stop("platform", contacts=["a@exemple.example"], operator_reference="RAR-1A", received_by="acme")
    assert accepted.sealed["operator_reference"] == "RAR-1A"
    assert "/operator_reference" in accepted.pointers
    assert accepted.facts["received_by"] == "acme"
    assert "RAR-1A" not in str(accepted.facts)
    assert stop("platform", contacts=["a@exemple.example"], received_by="inconnu").facts["received_by"] is None
