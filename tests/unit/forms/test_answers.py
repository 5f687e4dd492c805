"""The operator's answers fill what is unknown, and nothing else; addresses allow what they should."""

from pathlib import Path

import pytest

from services.form_inspector.address import address_of
from services.form_inspector.answers import fill
from services.form_inspector.facts import Rect
from services.form_inspector.measures import position
from services.form_inspector.questions import TEXTS, UNKNOWN, ask
from shared.errors import InputError


def test_answers_fill_nested_fields_and_close_their_questions() -> None:
    document = {
        "published_at": UNKNOWN,
        "steps": {"grant": 2, "withdraw": UNKNOWN},
        "boxes": [{"channels": UNKNOWN}],
        "incentive": UNKNOWN,
    }
    questions = [
        ask("published_at"),
        ask("steps/withdraw"),
        ask("boxes/0/channels", "boxes/channels"),
        ask("incentive"),
    ]
    answers = {
        "published_at": "2026-09-01T06:00:00Z",
        "steps/withdraw": "1",
        "boxes/0/channels": "[email, sms]",
        "incentive": "null",
    }
    assert fill(document, questions, answers) == []
    assert document == {
        "published_at": "2026-09-01T06:00:00Z", "steps": {"grant": 2, "withdraw": 1},
        "boxes": [{"channels": ["email", "sms"]}], "incentive": None,
    }  # fmt: skip


@pytest.mark.parametrize("field", ["steps/grant", "nothing", "refusal"])
def test_what_was_measured_is_not_answered(field: str) -> None:
    document = {"steps": {"grant": 2}, "refusal": {"present": True}}
    with pytest.raises(InputError) as raised:
        fill(document, [ask("targets_minors")], {field: "3"})
    assert raised.value.problems[0].code == "ANSWER"
    assert document == {"steps": {"grant": 2}, "refusal": {"present": True}}


def test_every_question_ends_in_french_as_one() -> None:
    assert all("?" in text for text in TEXTS.values())


def test_a_file_may_read_its_folder_only(tmp_path: Path) -> None:
    page = tmp_path / "pages" / "é form.html"
    page.parent.mkdir()
    page.write_text("x")
    address = address_of(str(page))
    assert address.shown == "é form.html"
    assert address.bytes() == b"x"
    assert address.hosts == frozenset()
    assert address.allows((page.parent / "style.css").as_uri())
    assert not address.allows((tmp_path / "secret.txt").as_uri())
    assert not address.allows(page.parent.as_uri() + "/../secret.txt")
    assert not address.allows("http://cdn.example/x.js")
    assert address.allows("data:image/png;base64,")


def test_a_web_page_may_speak_to_its_own_host_and_to_those_named() -> None:
    address = address_of("https://forms.example/f?id=1", frozenset({"cdn.example"}))
    assert address.hosts == {"forms.example", "cdn.example"}
    assert address.allows("https://forms.example/style.css")
    assert address.allows("https://cdn.example/x.js")
    for url in (
        "https://forms.example:8443/",
        "https://evil.example/",
        "file:///etc/passwd",
        "ftp://forms.example/",
        "javascript:1",
    ):
        assert not address.allows(url)


@pytest.mark.parametrize("page", ["nowhere.html", "https://", "https://user:secret@forms.example/"])
def test_unusable_addresses(page: str) -> None:
    with pytest.raises(InputError):
        address_of(page)


def test_positions() -> None:
    accept = Rect(x=0, y=100, width=200, height=40)
    assert position(Rect(x=210, y=104, width=100, height=20), accept) == "beside"
    assert position(Rect(x=0, y=150, width=100, height=20), accept) == "below"
    assert position(Rect(x=0, y=60, width=100, height=20), accept) == "above"
