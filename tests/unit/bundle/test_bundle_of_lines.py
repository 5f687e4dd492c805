"""A prospecteur's bundle: its own lines of the verdict, proven to be the ones committed to; the number of the others, and no more."""

import json
from dataclasses import replace

import pytest
from bundle_world import BUNDLE, OTHERS, OWN, POLICY, erased_world, line, plain_world, shared_world, stopped_world

from services.proof_archive.bundles.build import build_bundle
from services.proof_archive.bundles.canonical_zip import read_zip
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.verifying.verify import verify_bundle
from shared.errors import IntegrityError

LINES = [line(*one) for one in OTHERS]


def contents_of(bundle):
    verification = verify_bundle(bundle, POLICY)
    assert verification.valid, verification.problems
    return verification.contents


def text_of_verdict(contents):
    return next(event["text_fr"] for event in contents.timeline if event["kind"] == "consent.assessed")


def test_its_own_lines_and_the_number_of_the_others():
    world = shared_world()
    bundle = world.bundle(disclosures=[*world.disclosures(), *world.lines(*OWN)])
    contents = contents_of(bundle)
    assert [(one.recipient, one.channel, one.state) for one in contents.state.lines] == [
        ("canalvert", "email", "valid"), ("canalvert", "sms", "invalid"),
    ]  # fmt: skip
    assert contents.state.hidden == 2
    assert text_of_verdict(contents).endswith("0 à examiner ; 2 autre(s) ligne(s), non dévoilée(s) dans ce dossier.")
    assert {one.pointer for one in contents.disclosed} == {"/contacts/0/value", "/contacts/1/value", "/subject_ref"}
    for other in (b"voltis", b"nordia"):
        assert other not in bundle
    assert {e.kind for e in contents.entries} >= {"form", "agreement"}, "what the lines shown rely on"


def test_whoever_is_shown_everything_sees_what_a_verdict_of_version_1_said():
    lines = {}
    for version in (1, 2):
        world = stopped_world(version=version, lines=LINES)
        contents = contents_of(world.bundle(disclosures=world.lines(), requested_for=Audience(scope="auditor")))
        lines[version] = (contents.state, contents.timeline, [entry.status for entry in contents.entries])
    assert lines[1] == lines[2]


def test_no_line_is_needed_to_verify():
    world = shared_world()
    verdict = ("verdicts", 0)
    alone = world.request(entries=[world.entry(*at) for at in world.mine if at == verdict or at[0] == "consents"])
    assert b"canalvert" not in alone.entries[-1].data
    contents = contents_of(build_bundle(alone, BUNDLE))
    assert (contents.state.code, contents.state.lines, contents.state.hidden) == ("assessed", (), 4)


def test_erasure_leaves_the_lines():
    world = erased_world(version=2, lines=LINES)
    contents = contents_of(world.bundle(disclosures=world.lines(*OWN)))
    assert contents.erased
    assert contents.disclosed == ()
    assert [one.state for one in contents.state.lines] == ["stopped", "invalid"]
    status = {entry.kind: entry.status for entry in contents.entries}
    assert status["consent.recorded"] == "included, personal data erased"
    assert status["consent.assessed"] == "included"


def test_what_is_relied_on_must_be_shown():
    world = shared_world()
    with pytest.raises(
        IntegrityError, match="ENTRY-UNRELATED"
    ):  # the contract, by which canalvert's lines alone are tied
        world.bundle(disclosures=world.lines("/lines/1"))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, value={**one.value, "verdict": "invalid"}),
        lambda one: replace(one, pointer="/lines/1"),
        lambda one: replace(one, pointer="/lines/4"),
        lambda one: replace(one, pointer="/lines/00"),
        lambda one: replace(one, salt=bytes(32)),
    ],
)
def test_a_line_that_was_not_committed_to_is_refused(change):
    world = shared_world()
    lines = world.lines(*OWN)
    with pytest.raises(IntegrityError, match="DISCLOSURE-WRONG"):
        world.bundle(disclosures=[change(lines[0]), *lines[1:]])


def test_what_is_no_line_is_refused_though_it_was_committed_to():
    world = plain_world(
        version=2, lines=[{"recipient": "canalvert"}, {**line("canalvert", "sms"), "references": [{"key": "x"}]}]
    )
    for pointer in ("/lines/0", "/lines/1"):
        with pytest.raises(IntegrityError, match="ENTRY-MALFORMED"):
            world.bundle(disclosures=world.lines(pointer))


def test_a_thousand_lines_stay_in_their_order():
    many = [
        line(f"party-{n:04d}" if n != 10 else "canalvert", "email", "valid" if n % 3 else "review") for n in range(1100)
    ]
    world = plain_world(version=2, lines=many)
    verdict = next(at for at in world.mine if at[0] == "verdicts")
    assert world.entry(*verdict).body is not None
    shown = [f"/lines/{n}" for n in (999, 10, 9, 100)]
    bundle = world.bundle(disclosures=world.lines(*shown))
    contents = contents_of(bundle)
    assert [one.recipient for one in contents.state.lines] == ["party-0009", "canalvert", "party-0100", "party-0999"]
    assert contents.state.hidden == 1096
    written = json.loads(read_zip(bundle)["disclosures.json"])
    assert len(written) == 4
