"""What entries cite, what fits in a bundle, and the pieces of encrypted files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.proof_archive.domain import entry_of
from services.proof_archive.evidence.chunks import PIECE, SEALED_PIECE, PieceOpener, PieceSealer
from services.proof_archive.evidence.citations import Citation, citations_of
from services.proof_archive.evidence.joined import choose
from shared import canonical
from shared.crypto.sealing import RecordKey
from shared.errors import IntegrityError
from shared.kafka.record import StoredRecord

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
KEY, OTHER_KEY, SALT = RecordKey(bytes(32)), RecordKey(b"o" * 32), b"s" * 16


def test_a_consent_cites_its_form_and_notice_for_all_and_its_attachments_for_one():
    facts = {
        "kind": "consent.recorded", "record": "acme/1", "collector": "acme", "form": {"id": "f", "version": 1, "sha256": A},
        "notice": {"version": "1", "sha256": B}, "recipient_list": {"sha256": D},
        "attachments": [{"kind": "recording", "sha256": C}, {"sha256": D}, {"sha256": "short"}, "odd", {"sha256": 3}],
    }  # fmt: skip
    assert citations_of("consents", facts) == (
        Citation(A, "acme", "page"),
        Citation(B, "acme", "notice"),
        Citation(C, "acme", "recording", "acme/1"),
        Citation(D, "acme", "attachment", "acme/1"),
    )
    assert citations_of("consents", {**facts, "kind": "consent.conflict"}) == ()
    assert citations_of("verdicts", facts) == ()


def test_registry_objects_cite_their_documents():
    form = {"kind": "form", "collector": "acme", "html_sha256": A, "screenshot_sha256": B, "document_sha256": C}
    assert citations_of("registry", form) == (Citation(A, "acme", "page"), Citation(B, "acme", "screenshot"))
    agreement = {"kind": "agreement", "collector": "acme", "document_sha256": C}
    assert citations_of("registry", agreement) == (Citation(C, "acme", "contract"),)
    assert citations_of("registry", {"kind": "notice", "sha256": D}) == (Citation(D, "operator", "notice"),)
    assert citations_of("registry", {"kind": "list", "collector": "acme", "sha256": D}) == ()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just(A), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["kind", "form", "notice", "attachments", "collector", "record", "sha256", "html_sha256"]), inner,
        max_size=6)), max_leaves=12))  # fmt: skip
def test_no_content_stops_the_archive(value):
    facts = value if isinstance(value, dict) else {"kind": value}
    for topic in ("consents", "registry"):
        citations_of(topic, facts)
        citations_of(topic, {**facts, "kind": "consent.recorded"})


def test_an_entry_carries_its_citations_and_their_time():
    value = canonical.dumps({"kind": "form", "id": "f", "version": 1, "collector": "acme", "html_sha256": A})
    entry = entry_of(StoredRecord("registry", 0, 4, 1_789_374_667_000, b"form:f:1", value))
    assert (entry.ts, entry.cited) == (1_789_374_667_000, (Citation(A, "acme", "page"),))


def test_the_smallest_files_are_joined_first():
    assert choose({A: 5, B: 1, C: 3, D: 3}, 7) == [B, C, D]
    assert choose({A: 5, B: 1}, 0) == []
    assert choose({B: 0}, 0) == [B]


def sealed(data, portions):
    sealer, out, at = PieceSealer(KEY, SALT, A), [], 0
    for size in portions:
        out.append(sealer.add(data[at : at + size]))
        at += size
    return b"".join([*out, sealer.add(data[at:]), sealer.finish()])


def opened(blob, *, key=KEY, salt=SALT, sha256=A, portion=50_000):
    opener = PieceOpener(key, salt, sha256)
    return b"".join([opener.add(blob[at : at + portion]) for at in range(0, len(blob), portion)] + [opener.finish()])


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7])
@pytest.mark.parametrize("portions", [[], [1, 2, 3], [PIECE], [PIECE + 5, 0, 9]])
def test_a_file_is_opened_as_it_was_sealed(size, portions):
    data = bytes(i * 7 & 255 for i in range(size))
    blob = sealed(data, portions)
    assert opened(blob) == data
    assert opened(blob, portion=SEALED_PIECE) == data
    assert size < 20 or data[:20] not in blob


def test_what_was_altered_cut_or_moved_does_not_open():
    blob = sealed(bytes(3 * PIECE), [])
    pieces = [blob[:SEALED_PIECE], blob[SEALED_PIECE : 2 * SEALED_PIECE], blob[2 * SEALED_PIECE :]]
    for wrong in (
        blob[:-1], blob[: 2 * SEALED_PIECE], pieces[1] + pieces[0] + pieces[2], pieces[0] + pieces[2], b"",
        bytes([blob[0] ^ 1]) + blob[1:], blob + b"\0",
    ):  # fmt: skip
        with pytest.raises(IntegrityError):
            opened(wrong)
    for other in ({"key": OTHER_KEY}, {"salt": b"t" * 16}, {"sha256": B}):
        with pytest.raises(IntegrityError):
            opened(blob, **other)
