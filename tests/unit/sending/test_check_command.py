"""`opposable check`: files and standard input, faults with their line numbers, settings, reasons in French."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sending_world import sending_cases
from typer.testing import CliRunner

from services.cli.main import build, wanted
from services.rights_handler.sending.lines import answer, read
from shared.errors import InputError

GOOD = next(case for case in sending_cases() if case["name"] == "call-tuesday-1000")


def run(*words, lines=()):
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    args = ["--lang", "en", "check", "-", *words]
    return CliRunner().invoke(build(args), args, input=text, catch_exceptions=False)


def bent(**changes):
    """The good case with fields of its check changed, or removed where the change is `...`."""
    check = {name: value for name, value in {**GOOD["check"], **changes}.items() if value is not ...}
    return {"name": "bent", "recipient": "televerveine", "check": check}


def reasons(line):
    return answer(read(json.dumps(line).encode())).codes


def problems(line):
    with pytest.raises(InputError) as caught:
        read(line if isinstance(line, bytes) else json.dumps(line).encode())
    return [(p.code, p.pointer) for p in caught.value.problems]


def test_from_standard_input_blank_lines_skipped():
    result = run(lines=[GOOD, "\n", bent(zone=None), "  \n"])
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"name": "call-tuesday-1000", "allowed": True, "reasons": []},
        {"name": "bent", "allowed": False, "reasons": ["CALL-WINDOW"]},
    ]
    assert result.stderr == ""


def test_faulty_lines_are_named_and_the_others_answered():
    result = run(lines=[GOOD, "{\n", bent(channel="fax"), GOOD, '{"check":{}}\n', "\ufeff\n"])
    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 2
    told = result.stderr.splitlines()
    assert told[0] == "line 2: JSON -: the line is not JSON in UTF-8"
    assert told[1].startswith("line 3: VALUE-UNKNOWN /check/channel: ")
    assert {line.split(": ")[1] for line in told[2:-2]} == {
        "FIELD-MISSING /recipient", "FIELD-MISSING /check/channel", "FIELD-MISSING /check/at",
    }  # fmt: skip
    assert told[-2].startswith("line 6: JSON")
    assert told[-1] == "4 lines cannot be used: they have no answer"


def test_many_faulty_lines_are_counted_not_told():
    result = run(lines=["{\n"] * 50)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 21
    assert result.stderr.splitlines()[-1].startswith("50 lines")


def test_a_file_that_cannot_be_read(tmp_path):
    args = ["check", str(tmp_path / "nowhere.jsonl")]
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(build(args), args, catch_exceptions=False)
    assert caught.value.problems[0].code == "FILE-UNREADABLE"


def test_bytes_that_are_no_text_are_a_fault():
    assert problems(json.dumps(GOOD).encode().replace(b"televerveine", b"\xff\xfe")) == [("JSON", "")]


def test_why_adds_french_reasons_and_cures():
    out = json.loads(run("--why", lines=[bent(zone=None)]).stdout)
    assert set(out) == {"name", "allowed", "reasons", "attach_notice", "why"}
    assert out["why"][0]["code"] == "CALL-WINDOW"
    assert "fuseau horaire" in out["why"][0]["text_fr"]
    assert out["why"][0]["cure_fr"].endswith(".")


def test_settings():
    sunday = bent(at="2026-09-20T09:00:00Z", appointment="2026-09-20T09:10:00Z")
    for words, line, allowed in [
        ((), sunday, True), (("--appointment-minutes", "5"), sunday, False),
        ((), bent(at="2027-03-26T10:00:00Z"), True), (("--alsace-moselle",), bent(at="2027-03-26T10:00:00Z"), False),
        ((), bent(at="2026-09-20T09:00:00Z", channel="automated_call"), False),
        (("--no-automated-call-hours",), bent(at="2026-09-20T09:00:00Z", channel="automated_call"), True),
    ]:  # fmt: skip
        assert json.loads(run(*words, lines=[line]).stdout)["allowed"] is allowed, (words, line)


def test_the_command_is_imported_alone():
    assert wanted(["check", "f.jsonl"]) == ["check"]


# The form of a line


def test_what_the_format_does_not_need_is_ignored_beside_the_check_but_not_in_it():
    assert reasons({**bent(), "why": "…", "expect": 3}) == []
    assert problems(bent(stop=[])) == [("FIELD-UNKNOWN", "/check/stop")]
    assert problems(bent(grant={**GOOD["check"]["grant"], "confirm": False})) == [
        ("FIELD-UNKNOWN", "/check/grant/confirm")
    ]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"at": "2026-09-15T08:00:01"}, "/check/at"), ({"at": "hier"}, "/check/at"), ({"at": None}, "/check/at"),
        ({"at": ...}, "/check/at"), ({"at": "2026-02-30T08:00:00Z"}, "/check/at"), ({"at": 1789459200}, "/check/at"),
        ({"channel": "CALL"}, "/check/channel"), ({"purpose": "spam"}, "/check/purpose"), ({"sector": "x"}, "/check/sector"),
        ({"zone": 33}, "/check/zone"), ({"attempts": "2026-09-01T08:10:00.000Z"}, "/check/attempts"),
        ({"attempts": ["x"]}, "/check/attempts/0"), ({"attempts": None}, "/check/attempts"),
        ({"grant": []}, "/check/grant"), ({"grant": {"valid_until": None}}, "/check/grant/collected_at"),
        ({"grant": {"collected_at": "2026-08-20T08:00:00Z", "valid_until": "tomorrow"}}, "/check/grant/valid_until"),
        ({"grant": {"collected_at": "2026-08-20T08:00:00Z", "valid_until": 3}}, "/check/grant/valid_until"),
        ({"grant": {"collected_at": "2026-08-20T08:00:00Z", "confirmed": "no"}}, "/check/grant/confirmed"),
        ({"stops": None}, "/check/stops"), ({"stops": [{}]}, "/check/stops/0/at"), ({"stops": ["x"]}, "/check/stops/0"),
        ({"appointment": "15h"}, "/check/appointment"),
    ],
)  # fmt: skip
def test_faults_have_their_pointer(change, pointer):
    assert [p for _, p in problems(bent(**change))] == [pointer]


def test_the_recipient_is_a_party():
    assert problems({**bent(), "recipient": "Télé Verveine"}) == [("FIELD-FORMAT", "/recipient")]


def test_what_is_missing_is_the_natural_empty():
    empty = bent(purpose=..., sector=..., attempts=..., stops=..., appointment=..., zone=...)
    assert reasons(empty) == ["CALL-WINDOW"]
    assert reasons(bent(grant=..., sector=None)) == ["NO-GRANT"]


def test_a_day_counts_whole_in_paris():
    for at, zone, expected in [
        ("2026-09-15T21:59:59.999Z", "America/Guadeloupe", []), ("2026-09-15T22:00:00Z", "America/Guadeloupe", ["NO-GRANT"]),
    ]:  # fmt: skip
        grant = {"collected_at": "2026-08-20T08:00:00Z", "valid_until": "2026-09-15"}
        assert reasons(bent(at=at, zone=zone, grant=grant)) == expected
    assert reasons(bent(grant={"collected_at": "2026-08-20T08:00:00Z", "valid_until": "9999-12-31"})) == []


STOP = "2026-09-10T09:00:00.000Z"


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({}, True), ({"channels": "all", "recipients": "all", "purposes": "all"}, True), ({"channels": None}, True),
        ({"channels": ["call"]}, True), ({"channels": ["sms", "call"]}, True), ({"channels": ["sms"]}, False),
        ({"channels": ["SMS"]}, False), ({"channels": ["mms"]}, False), ({"channels": ["pigeon"]}, True),
        ({"channels": ["sms", "pigeon"]}, True), ({"channels": []}, True), ({"channels": "sms"}, True), ({"channels": [3]}, True),
        ({"recipients": ["televerveine"]}, True), ({"recipients": ["assurbrelle"]}, False),
        ({"recipients": ["assurbrelle", "televerveine"]}, True), ({"recipients": ["all"]}, True), ({"recipients": []}, True),
        ({"recipients": ["Assur Brelle"]}, True), ({"recipients": "assurbrelle"}, True),
        ({"purposes": ["prospecting"]}, True), ({"purposes": ["ad_tracking"]}, False), ({"purposes": ["nothing"]}, True),
        ({"channels": ["sms"], "recipients": ["televerveine"]}, False), ({"kind": "objection", "via": "sms"}, True),
    ],
)  # fmt: skip
def test_a_scope_that_is_missing_or_not_understood_is_the_widest(scope, covers):
    assert reasons(bent(stops=[{"at": STOP, **scope}])) == (["STOPPED"] if covers else [])


def test_art_14_and_staleness_may_be_told_by_a_file():
    grant = {**GOOD["check"]["grant"], "obtained_at": "2026-08-10T08:00:00Z"}
    assert reasons(bent(grant=grant)) == ["ART14-OVERDUE"]
    assert reasons(bent(grant={**grant, "notice_at": "2026-08-11T08:00:00Z"})) == []
    assert reasons(bent(answered_at="2026-09-15T07:00:00Z")) == ["PERMISSION-STALE"]
    assert reasons(bent(unreachable=True)) == ["UNREACHABLE"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**10) | st.text(max_size=8) | st.just("2026-09-15T09:00:00Z"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(GOOD["check"])), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD["check"])), json_values)
def test_anything_in_a_field_is_an_answer_or_a_fault_with_a_place(field, value):
    line = json.dumps(bent(**{field: value})).encode()
    found = []
    try:
        given_answer = answer(read(line))
    except InputError as error:
        found = error.problems
    else:
        assert given_answer.allowed is (given_answer.codes == [])
    assert all(problem.pointer.startswith("/check") for problem in found)
