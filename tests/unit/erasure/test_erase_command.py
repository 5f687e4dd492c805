"""`opposable erase` and `opposable hold`: what is asked of the service, what is shown, which exit code."""

import json

import httpx
import pytest
from typer.testing import CliRunner

from services.cli import erase, hold
from services.cli.main import build
from services.rights_handler.erasing.ends import ends_of
from services.rights_handler.erasing.model import Fate, Planned

RECORD, NOW = "acme/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11", "2026-11-27T10:00:00.000Z"


class Service:
    """Answers of the rights handler, and what it was asked."""

    def __init__(self, states=("done",), outcome=None, known=True):
        self.states, self.asked, self.known = list(states), [], known
        self.fate = outcome or Fate("erase")

    def __call__(self, _endpoints, method, path, body=None):
        self.asked.append((method, path, body))
        if path == "/v1/erasures":
            return httpx.Response(200 if body.get("dry_run") else 202, json=self._erasures(body.get("dry_run", False)))
        if path.startswith("/v1/erasures/"):
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return httpx.Response(200, json={"state": state})
        if path == "/v1/holds" and method == "POST":
            return httpx.Response(201, json={**body, "too_late": [RECORD]})
        if path.startswith("/v1/holds?") or path == "/v1/holds":
            one = {"id": "case-14", "scope": "record", "value": RECORD, "author": "legal", "reason": "litigation",
                   "review_at": NOW, "released_at": None, "overdue": True}  # fmt: skip
            return httpx.Response(200, json={"holds": [one]})
        return httpx.Response(200, json={"looked_at_again": [RECORD]})

    def _erasures(self, dry_run):
        planned = Planned(RECORD, self.fate, None, ("acme", "canalvert"), NOW)
        ends = {
            lang: [{"what": e.what, "until": e.until, "why": e.why} for e in ends_of(planned, NOW, lang)]
            for lang in ("fr", "en")
        }
        view = {"record": RECORD, "state": None, "outcome": self.fate.outcome, "until": self.fate.until,
                "because": list(self.fate.codes), "parties": ["acme", "canalvert"], "ends": ends}  # fmt: skip
        return {"dry_run": dry_run, "erasures": [view] if self.known else []}


@pytest.fixture
def run(monkeypatch):
    def go(service, *words, answer=None):
        for module in (erase, hold):
            monkeypatch.setattr(module, "ask", service)
            monkeypatch.setattr(module, "resolve", lambda _dir: None)
        monkeypatch.setattr(erase, "AGAIN_S", 0)
        monkeypatch.setenv("COLUMNS", "200")
        return CliRunner().invoke(build(words), ["--lang", "fr", *words], input=answer)

    return go


def test_a_dry_run_shows_what_ends_when_and_begins_nothing(run):
    service = Service(outcome=Fate("restrict", "2029-09-14T08:31:07.120Z", ("PHONE-PROOF",)))
    done = run(service, "erase", "--contact", "email:jeanne@exemple.example", "--dry-run")
    assert done.exit_code == 0, done.output
    for words in ("limité aux droits en justice", "2029-09-14", "PHONE-PROOF", "trois ans à compter du recueil", "la file de l’entreprise canalvert",
                  "ce qui prend fin, et quand"):  # fmt: skip
        assert words in done.output
    assert service.asked == [("POST", "/v1/erasures", {
        "contact": {"type": "email", "value": "jeanne@exemple.example"}, "reason": "person_request", "dry_run": True,
    })]  # fmt: skip
    assert "jeanne" not in done.output


def test_it_asks_first_and_no_changes_nothing(run):
    service = Service()
    done = run(service, "erase", "--record", RECORD, answer="n\n")
    assert done.exit_code == 1
    assert [body["dry_run"] for _, _, body in service.asked] == [True]
    done = run(service, "erase", "--record", RECORD, "--reason", "unlawful", answer="o\ny\n")
    assert done.exit_code == 0, done.output
    assert "effacé, clé détruite" in done.output
    assert service.asked[-2][2] == {"records": [RECORD], "reason": "unlawful"}


def test_it_follows_to_the_end_and_says_when_it_is_not_there(run):
    done = run(
        Service(states=["objecting", "published", "erased", "done"]), "erase", "--record", RECORD, "--yes", "--json"
    )
    assert (done.exit_code, json.loads(done.stdout)["states"]) == (0, {RECORD: "done"})
    late = run(Service(states=["published"]), "erase", "--record", RECORD, "--yes", "--wait", "0")
    assert late.exit_code == 1
    assert "en cours (published)" in late.output


def test_nobody_of_that_name_is_known(run):
    assert run(Service(known=False), "erase", "--subject", "acme/lead-1", "--yes").exit_code == 1


@pytest.mark.parametrize(
    "words",
    [("erase",), ("erase", "--record", RECORD, "--contact", "email:a@b.example"), ("erase", "--contact", "jeanne"),
     ("erase", "--subject", "lead-1"), ("erase", "--record", RECORD, "--json"),
     ("hold", "add", "case-14", "--author", "legal", "--reason", "litigation", "--review", "2027-06-30")],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_a_code(run, words):
    done = run(Service(), *words)
    assert type(done.exception).__name__ == "InputError"


def test_holds(run):
    service = Service()
    added = run(service, "hold", "add", "case-14", "--record", RECORD, "--author", "legal", "--reason", "litigation",
                "--review", "2027-06-30")  # fmt: skip
    assert added.exit_code == 0, added.output
    assert service.asked[-1][2]["review_at"] == "2027-06-30T23:59:59.000Z"
    assert "trop tard" in added.output
    listed = run(service, "hold", "list")
    assert listed.exit_code == 1  # a review is overdue
    assert "réexamen en retard" in listed.output
    assert run(service, "hold", "review", "case-14", "--review", "2027-12-31").exit_code == 0
    assert "consentements réexaminés : 1" in run(service, "hold", "release", "case-14").output
