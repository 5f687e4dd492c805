"""A breach's life, without any engine: the 72 hours, what is refused, what the words say and the log does not."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from services.rights_handler.breaches import model, texts
from services.rights_handler.breaches.acts import entry
from services.rights_handler.breaches.codes import Data, Ending, Exemption, Nature, Origin, Risk
from services.rights_handler.breaches.model import Breach
from services.rights_handler.breaches.register import register_pdf, told
from shared.errors import InputError
from shared.problems import Refusal

NOTICED, NOW = "2026-11-01T08:00:00.000Z", "2026-11-02T08:00:00.000Z"
DUE, AFTER = "2026-11-04T08:00:00.000Z", "2026-11-05T09:00:00.000Z"


def breach(**change):
    values = {"risk": Risk.RISK, "natures": (Nature.CONFIDENTIALITY,), "data": (Data.CONTACTS,), **change}
    one = Breach("V-1", NOTICED, NOTICED, "dpo", origin=Origin.ATTACK, what="Serveur exposé.", **values)
    return one.changed(NOTICED, "opened")


def test_the_clock_runs_from_when_it_was_noticed_and_reminds_until_the_authority_is_settled() -> None:
    one = breach()
    assert one.due_at == DUE
    marks, at = [], NOTICED
    for _ in range(5):
        at = model.next_look(one, at)
        marks.append(at)
    assert marks == ["2026-11-02T08:00:00.000Z", "2026-11-03T08:00:00.000Z", "2026-11-03T20:00:00.000Z", DUE,
                     "2026-11-05T08:00:00.000Z"]  # fmt: skip
    assert model.next_look(model.notified(one, NOW, None, None, NOW), NOW) is None


def test_a_late_notification_gives_its_reasons() -> None:
    with pytest.raises(Refusal, match="reasons for the delay"):
        model.notified(breach(), AFTER, None, None, AFTER)
    after = model.notified(breach(), AFTER, "R-1", "enquête en cours", AFTER)
    assert after.authority["late"] is True
    assert "Motifs du retard : enquête en cours" in texts.notification(after)
    assert model.notified(breach(), DUE, None, None, AFTER).authority["late"] is False, "the last instant is in time"
    for wrong in ("2026-10-31T00:00:00.000Z", "2026-11-09T00:00:00.000Z"):
        with pytest.raises(Refusal, match="before the breach was noticed, or in the future"):
            model.notified(breach(), wrong, None, None, AFTER)


def test_only_an_unlikely_risk_is_not_notified_and_a_high_one_is_told_to_persons() -> None:
    with pytest.raises(Refusal, match="unlikely"):
        model.waived(breach(), NOW)
    assert model.waived(breach(risk=Risk.UNLIKELY), NOW).authority["waived"] is True
    with pytest.raises(Refusal, match="high"):
        model.persons_settled(breach(risk=Risk.HIGH), None, Exemption.NOT_HIGH, NOW)
    for at, exempt in ((None, None), (NOW, Exemption.PUBLIC)):
        with pytest.raises(Refusal, match="one of the two"):
            model.persons_settled(breach(), at, exempt, NOW)


def test_it_closes_once_everything_is_settled_and_never_changes_again() -> None:
    one = breach(notices={"hibou": {"told_at": NOW, "acknowledged_at": None}})
    with pytest.raises(Refusal, match="authority, persons, party hibou"):
        model.closed(one, Ending.REMEDIED, NOW)
    assert model.closed(one, Ending.NO_BREACH, NOW).ending is Ending.NO_BREACH
    done = model.persons_settled(model.notified(breach(), NOW, None, None, NOW), NOW, None, NOW)
    over = model.closed(done, Ending.REMEDIED, NOW)
    with pytest.raises(Refusal, match="closed"):
        model.notified(over, NOW, None, None, NOW)


@pytest.mark.parametrize("words", ["écrire à lea@exemple.fr", "le 06 12 34 56 78", "dossier 123456789012"])
def test_words_that_could_name_a_person_are_refused(words) -> None:
    with pytest.raises(InputError):
        model.checked(what=words)
    model.checked(what="sauvegarde du 26/11, serveur 3", effects=None)


def test_the_log_holds_codes_counts_and_the_hash_of_the_words() -> None:
    one = breach(by_party={"hibou": {"records": 3, "persons": 2}}, records=3, persons=2)
    value = entry(one).value or b""
    facts = orjson.loads(value)["facts"]
    assert (facts["kind"], facts["persons"], facts["parties"]) == ("breach.opened", 2, ["hibou"])
    assert facts["words_sha256"] == one.words_sha256
    assert "exposé".encode() not in value
    assert entry(one) == entry(one), "said twice, the same bytes"


def test_a_row_gives_the_same_breach_back() -> None:
    scope = model.Scope(records=("acme/1",), received_until=NOW)
    one = model.persons_settled(breach(scope=scope, ended_at=NOW), NOW, None, NOW)
    row = orjson.loads(orjson.dumps(model.row_of(one)))
    assert model.breach_of(row) == one


def test_the_register_prints_every_breach_in_french() -> None:
    one = breach(by_party={"hibou": {"records": 1234, "persons": 1200}}, records=1234, persons=1200)
    lines = dict(map(tuple, told(one)["lignes"]))
    assert lines["Autorité de contrôle"] == "à faire avant le 04/11/2026 à 09\u00a0h\u00a000"
    assert told(one)["organismes"] == [["hibou", "1\u202f234", "1\u202f200", "non averti"]]
    pdf = register_pdf([one, model.closed(breach(), Ending.NO_BREACH, NOW)], datetime(2026, 11, 27, tzinfo=UTC))
    assert pdf.startswith(b"%PDF")
