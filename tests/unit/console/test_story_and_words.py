"""One history in two languages, values as they look, and words for every key that a template or module asks for."""

import re
from datetime import UTC, datetime

import pytest

from services.console import pages, signing_in
from services.console.pages.stuck import Filter, owed_of
from services.console.render import STATIC, TEMPLATES, address_of, environment
from services.console.showing import number, printable, size, span, when
from services.console.story import registered, told
from services.console.words import COMMON, Words, merged
from shared.errors import ConfigurationError

NAMES = {"acme": "ACME Jeux SAS", "canalvert": "Canal Vert SA"}


def name(party):
    return NAMES.get(party, party or "—")


def entry(kind, facts, index=0, text=None):
    return {"kind": kind, "facts": facts, "origin": f"d/{kind}/x/p00", "index": index, "ts": "2026-11-27T04:00:00.000Z",
            "covered": True, "text_fr": text}  # fmt: skip


ENTRIES = [
    entry("form", {"kind": "form", "id": "jeu-rentree", "version": 7}),
    entry("consent.recorded", {"collector": "acme", "collected_at": "2026-11-27T03:54:24.213Z"}, text="acme déclare…"),
    entry(
        "consent.assessed", {"ruleset": "r1", "lines": [{"verdict": "valid"}, {"verdict": "invalid"}]}, text="générique"
    ),
    entry("delivery.ordered", {"party": "canalvert", "ack_due_at": "2026-11-28T00:00:00.000Z"}, text="Ordre de cesser"),
    entry(
        "delivery.ordered",
        {"party": "canalvert", "ack_due_at": "2026-11-28T00:00:00.000Z"},
        index=9,
        text="Ordre de cesser",
    ),
    entry("record.erased", {"record": "acme/1"}),
    entry("breach.opened", {"breach": "b1"}),
]


def test_a_history_is_told_once_in_each_language_with_what_was_archived_twice_counted():
    french, english = told(ENTRIES, "fr", name), told(ENTRIES, "en", name)
    assert [one.kind for one in french] == [
        "consent.recorded", "consent.assessed", "delivery.ordered", "record.erased", "breach.opened",
    ]  # fmt: skip
    assert [one.again for one in french] == [0, 0, 1, 0, 0]
    assert french[0].sentence == "acme déclare…"  # the sentence of the proof
    assert "1 ligne(s) aux contrôles satisfaits" in french[1].sentence
    assert "consentement valide" not in french[1].sentence
    assert english[0].sentence == "ACME Jeux SAS declares a choice collected at 2026-11-27 04:54:24."
    assert "1 line(s) satisfy the checks" in english[1].sentence
    assert english[2].sentence == "Order to stop sent to Canal Vert SA; answer due 2026-11-28 01:00:00."
    assert english[3].tone == "bad"
    assert english[4].sentence == "“breach.opened” archived."
    assert registered(ENTRIES) == [("form", "jeu-rentree", "7")]


def test_values_look_the_same_everywhere():
    assert when("2026-07-01T10:00:00.000Z") == "2026-07-01 12:00:00"  # Paris, summer
    assert (when(None), when("soon")) == ("—", "soon")
    assert [span(s) for s in (None, 0, 0.53, 12, 90, 7200, 400_000)] == [
        "—",
        "0 s",
        "0.5 s",
        "12 s",
        "2 min",
        "2 h",
        "5 d",
    ]
    assert [size(n) for n in (None, 87, 2048, 3 << 20)] == ["—", "87 B", "2 kB", "3 MB"]
    assert [number(n) for n in (None, 0.44, 7, 12345.6)] == ["—", "0.44", "7", "12\u202f346"]
    assert printable(b"a\x1b[31m\n\xff") == "a\\x1b[31m\n\\xff"


def test_an_obligation_is_filtered_by_all_that_is_asked_and_late_when_its_due_time_is_over():
    now = datetime(2026, 11, 27, tzinfo=UTC)
    one = owed_of("rights_handler", {
        "id": "order/1", "kind": "order", "owner": "canalvert", "cause": "no answer yet", "due_at": "2026-11-26T00:00:00.000Z",
        "refs": {"record": "acme/1", "order": "ffee", "party": "canalvert"},
    }, now)  # fmt: skip
    assert one.late
    assert one.refs == (("record", "acme/1", "/records/acme/1"), ("order", "ffee", ""))
    assert Filter(owner="canalvert", text="ACME/1", late=True).keeps(one)
    assert not Filter(kind="webhook").keeps(one)
    assert not Filter(text="acme/2").keeps(one)
    assert not owed_of("x", {"due_at": "2026-11-28T00:00:00.000Z"}, now).late
    assert Filter(owner="a b", late=True).query() == "owner=a+b&late=1"


CATALOGUE = merged(COMMON, signing_in.WORDS, *(page.words for page in pages.found()))


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.glob("*.jinja")))
def test_a_template_is_valid_has_words_for_its_keys_and_nothing_inline(template):
    environment().get_template(template)
    text = (TEMPLATES / template).read_text()
    for key in re.findall(r"\bt\(\"([a-z_.]+)\"", text):
        assert key in CATALOGUE or key.endswith("."), (template, key)
    assert not re.search(
        r"<style|style=\"|\son[a-z]+=\"|<script(?![^>]*src=)|javascript:|https?://(?!www.w3.org)", text
    )
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert 'name="csrf"' in form, template


def test_every_word_is_in_both_languages_and_a_missing_one_is_an_error():
    for key, (french, english) in CATALOGUE.items():
        assert french.strip(), key
        assert english.strip(), key
        assert set(re.findall(r"{(\w+)}", french)) == set(re.findall(r"{(\w+)}", english)), key
        assert "'" not in french.replace("d'opposable", ""), (key, "typographic apostrophes in French")
    with pytest.raises(ConfigurationError):
        Words("fr", CATALOGUE)("no.such.key")
    assert Words("en", CATALOGUE).of("kind", "made-up") == "made-up"
    assert Words("fr", {"a": ("Non ; « oui » {x} ?", "No?")})("a", x=1) == "Non\u202f; «\u202foui\u202f» 1\u202f?"
    with pytest.raises(ConfigurationError):
        merged({"a": ("x", "y")}, {"a": ("x", "z")})


def test_static_files_change_their_address_with_their_content_and_htmx_keeps_its_licence():
    assert re.fullmatch(r"/static/htmx\.min\.js\?v=[0-9a-f]{12}", address_of("htmx.min.js"))
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE").read_text()
    with pytest.raises(ConfigurationError):
        address_of("../render.py")
