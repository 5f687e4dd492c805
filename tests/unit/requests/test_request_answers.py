"""What is done about each right, on the real code over fakes: what persons receive, what parties are told, what is archived."""

import csv
import io
from datetime import timedelta

import orjson
import pypdf
import pytest

from services.rights_handler.domain import Transfer
from services.rights_handler.erasing.model import Fate
from services.rights_handler.reported import Attempt, Notice
from services.rights_handler.requests.letters import Addressee
from shared.contracts.platform import RightOrdered
from shared.errors import InputError
from tests.unit.requests.requests_world import DOCUMENT, EMAIL, PHONE, Bench, clear
from tests.unit.rights.rights_world import RECORD, make_line, make_stop

STRANGER = {"type": "email", "value": "autre@exemple.example"}
SECOND = RECORD.replace("8a11", "8a12")


@pytest.fixture
def bench():
    return Bench()


def code(refused):
    return refused.value.problems[0].code


async def test_access_names_data_source_and_who_really_received_them(bench):
    await bench.consent(make_line(), make_line("assurbrelle", verdict="invalid", reasons=("LIST-NOT-NAMED",)))
    await bench.ports.put_transfers([Transfer(RECORD, "televerveine", "2026-09-20T00:00:00.000Z")])
    await bench.ports.put_reports({
        "a": Notice(RECORD, "canalvert", "2026-09-21T00:00:00.000Z"),
        "b": Attempt("canalvert", "email", "2026-09-22T00:00:00.000Z", RECORD, frozenset(), "delivered"),
    })  # fmt: skip
    await bench.crossing.stops([make_stop()])
    name = await bench.receive("access")
    assert not bench.ordered, "nobody's data leaves before someone decides"
    done = await bench.handling.answer(name)
    (message,) = bench.ordered
    assert (message.channel, message.to) == ("email", EMAIL["value"])
    assert message.owner == "request/acme/r1"
    documents = bench.attached(message)
    answer = orjson.loads(documents["acces.json"])
    assert [r["societe"] for r in answer["destinataires"]] == ["Canal Vert SA"], "named and refused is not received"
    assert [t["societe"] for t in answer["transferts"]] == ["Télé Verveine"]
    (record,) = answer["enregistrements"]
    assert record["source"] == "ACME Jeux SAS"
    assert {d["valeur"] for d in record["donnees"]} == {
        "jeanne@exemple.example",
        "+33199001234",
        "lead-1",
        "203.0.113.9",
    }
    assert {c["societe"]: c["motifs"] for c in record["choix"]} == {
        "Canal Vert SA": [], "Assur’Brelle SA": ["LIST-NOT-NAMED"],
    }  # fmt: skip
    assert record["preuve"] == f"https://preuve.example/v1/proofs/{RECORD}"
    assert {o["societe"] for o in answer["ordres_transmis"]} == set(NAMES_TOLD)
    assert len(answer["oppositions_et_retraits"]) == len(answer["prises_de_contact"]) == 1
    assert {r["societe"] for r in answer["responsables"]} == {"ACME Jeux SAS", "Canal Vert SA", "Télé Verveine"}
    assert "CNIL" in answer["vos_droits"]
    assert "CNIL" in message.text
    assert done.state == "closed"
    (fact,) = bench.facts("request.answered")
    assert fact["sha256"] == bench.now().letters[0].sha256
    assert not clear(bench.facts())
    assert not clear([bench.now(), bench.ports.world.published[-1].value])


NAMES_TOLD = ("ACME Jeux SAS", "Canal Vert SA", "Assur’Brelle SA", "Télé Verveine")


async def test_the_pdf_is_tagged_in_french_and_says_what_the_json_says(bench):
    await bench.consent()
    await bench.handling.answer(await bench.receive("access"))
    reader = pypdf.PdfReader(io.BytesIO(bench.attached(bench.ordered[0])["acces.pdf"]))
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "fr-FR"
    assert root["/MarkInfo"]["/Marked"]
    assert "StructTreeRoot" in str(root.keys())
    assert reader.metadata.title == "Réponse à votre demande d’accès"
    text = " ".join(page.extract_text() for page in reader.pages).replace("\n", " ")
    for word in ("jeanne@exemple.example", "+33199001234", "ACME Jeux SAS", "Canal Vert SA", "CNIL"):
        assert word in text, word


async def test_access_of_nobody_says_so(bench):
    await bench.handling.answer(await bench.receive("access"))
    (message,) = bench.ordered
    assert "Aucune donnée n’est enregistrée" in message.text
    assert orjson.loads(bench.attached(message)["acces.json"])["enregistrements"] == []


async def test_data_goes_to_a_checked_identity_or_to_an_address_of_the_records_and_nowhere_else(bench):
    await bench.consent()
    name = await bench.receive("access", verified=False, contacts=(EMAIL,))
    with pytest.raises(InputError) as refused:
        await bench.handling.answer(name, to=Addressee("email", STRANGER["value"]))
    assert code(refused) == "REQUEST-IDENTITY"
    assert not bench.ordered
    await bench.handling.answer(name)
    assert bench.ordered[0].to == EMAIL["value"]


async def test_documents_are_not_sent_by_sms(bench):
    await bench.consent()
    name = await bench.receive("access", contacts=(PHONE,))
    with pytest.raises(InputError) as refused:
        await bench.handling.answer(name)
    assert code(refused) == "REQUEST-ADDRESS"
    assert bench.now().state == "open"
    assert (await bench.handling.answer(name, to=Addressee("letter", "Jeanne\n1 rue du Coing"))).state == "closed"


async def test_portability_gives_what_the_person_provided_twice_the_same(bench):
    await bench.consent(make_line(), make_line("televerveine", value="refused", verdict="invalid"))
    await bench.handling.answer(await bench.receive("portability"))
    documents = bench.attached(bench.ordered[0])
    (record,) = orjson.loads(documents["donnees.json"])["records"]
    rows = list(csv.DictReader(io.StringIO(documents["donnees.csv"].decode())))
    values = {(row["field"], row["value"]) for row in rows}
    assert {("contact.email", "jeanne@exemple.example"), ("contact.phone", "+33199001234")} <= values
    assert ("choice.televerveine.email.prospecting.general", "refused") in values
    assert record["contacts"] == DOCUMENT["contacts"]
    assert len(rows) == 2 + 1 + 2
    assert b"verdict" not in documents["donnees.json"]


async def test_a_verified_erasure_is_ordered_everywhere_then_done_then_answered_by_itself(bench):
    await bench.consent()
    await bench.receive("erasure")
    assert {party for party, _ in bench.orders("erasure")} == {"acme", "canalvert", "assurbrelle"}
    ((records, cause, before),) = bench.begun
    assert (records, cause) == ((RECORD,), "person_request")
    assert "out.canalvert.requests" in before, "everyone is told before anything is gone"
    (message,) = bench.ordered
    assert "effacés" in message.text
    assert "ACME Jeux SAS" in message.text
    assert bench.now().state == "answered"
    assert bench.told("canalvert") == [("granted", ()), ("ended", ("STOPPED",))]
    await bench.apply()
    assert bench.now().state == "closed"
    assert bench.now().erased == (RECORD,)


async def test_an_order_tells_each_party_what_it_finds_the_person_by(bench):
    await bench.consent()
    await bench.receive("erasure")
    bodies = dict(bench.orders())
    for body in bodies.values():
        RightOrdered.model_validate_json(orjson.dumps(body))
    assert bodies["canalvert"]["match_keys"] != bodies["acme"]["match_keys"]
    assert bodies["canalvert"]["request_id"] == "r1"
    assert {f["request"] for f in bench.facts("delivery.ordered")} == {"acme/r1"}
    assert all("stop" not in f for f in bench.facts("delivery.ordered"))


async def test_an_erasure_after_a_withdrawal_is_one_of_17_1_b_and_what_the_law_keeps_is_named_with_its_end(bench):
    await bench.consent()
    await bench.crossing.stops([make_stop()])
    bench.fate = Fate("restrict", "2029-09-14T00:00:00.000Z", ("PHONE-PROOF",))
    await bench.receive("erasure")
    assert bench.begun[0][1] == "consent_withdrawn"
    assert "n’est gardé que comme preuve, jusqu’au vendredi 14 septembre 2029" in bench.ordered[0].text


async def test_an_unverified_erasure_waits_for_a_decision_and_nothing_is_destroyed(bench):
    await bench.consent()
    name = await bench.receive("erasure", verified=False)
    assert not bench.begun
    assert not bench.orders()
    await bench.handling.answer(name)
    assert len(bench.begun) == 1


async def test_an_erasure_interrupted_anywhere_is_taken_up_with_the_same_records(bench):
    await bench.consent()
    name = await bench.receive("erasure", verified=False)

    async def dies(*_args, **_named):
        raise RuntimeError

    bench.handling.letters.seal, good = dies, bench.handling.letters.seal
    with pytest.raises(RuntimeError):
        await bench.handling.answer(name)
    bench.handling.letters.seal = good
    assert RECORD not in bench.ports.world.grants
    await bench.handling.answer(name)
    assert [records for records, _, _ in bench.begun] == [(RECORD,), (RECORD,)]
    assert "1 enregistrement(s) de vos données sont effacés" in bench.ordered[0].text


async def test_a_record_that_crossed_the_erasure_is_erased_like_the_others(bench):
    await bench.consent()
    await bench.receive("erasure")
    await bench.consent(record=SECOND)  # collected before the request, arrived after it
    assert ("granted", ()) not in bench.told("canalvert", SECOND)
    await bench.apply()
    assert bench.begun[-1][0] == (SECOND,)
    assert bench.now().state == "closed"
    third = RECORD.replace("8a11", "8a13")
    await bench.consent(record=third)  # even later
    assert ("granted", ()) not in bench.told("canalvert", third)
    await bench.apply()
    assert bench.begun[-1][0] == (third,)
    assert bench.now().erased == (RECORD, SECOND, third)


async def test_a_restriction_suspends_at_once_holds_what_comes_later_and_gives_back_when_lifted(bench):
    await bench.consent()
    name = await bench.receive("restriction", verified=False)
    assert bench.told("canalvert")[-1] == ("ended", ("RESTRICTED",))
    assert {party for party, _ in bench.orders("restriction")} == {"acme", "canalvert", "assurbrelle"}
    await bench.consent(seq=2)
    assert bench.told("canalvert")[-1][0] != "granted", "a newer verdict re-opens nothing while it lasts"
    await bench.handling.answer(name)
    assert bench.now().state == "answered"
    await bench.handling.lift(name, None)
    assert [m.template for m in bench.ordered] == ["request.answered.restriction", "request.lifted.restriction"]
    assert bench.told("canalvert")[-1] == ("granted", ())
    assert bench.now().state == "closed"
    assert all(row.state == "closed" for row in bench.ports.world.rows.values()), "nobody is reminded of a lifted one"
    ids = [dict(m.headers)["ce_id"] for m in bench.ports.world.published if m.topic == "out.canalvert.permissions"]
    assert len(set(ids)) == len(ids), "each word on a line is an event of its own"


async def test_a_stop_meanwhile_outlives_the_restriction(bench):
    await bench.consent()
    name = await bench.receive("restriction")
    await bench.handling.answer(name)
    await bench.crossing.stops([make_stop()])
    await bench.handling.lift(name, None)
    assert bench.told("canalvert")[-1][0] == "ended"


async def test_a_dispute_suspends_at_once_and_the_collector_owes_the_proof_within_its_agreement(bench):
    await bench.consent()
    bench.archive[RECORD] = b"a signed bundle"
    name = await bench.receive("dispute", verified=False)
    assert bench.told("canalvert")[-1] == ("ended", ("DISPUTED",))
    (owed,) = [o for o in bench.ports.world.obligations.values() if o.kind == "proof"]
    assert (owed.owner, owed.due_at) == ("acme", "2026-10-05T21:00:00.000Z")  # PT12H, the shortest of its agreements
    with pytest.raises(InputError) as vague:
        await bench.handling.answer(name)
    assert code(vague) == "REQUEST-OUTCOME"
    with pytest.raises(InputError) as unreasoned:
        await bench.handling.answer(name, outcome="upheld")
    assert code(unreasoned) == "REQUEST-REASONS"
    await bench.handling.answer(name, outcome="upheld", note="La page citée n’était pas en ligne ce jour-là.")
    (message,) = bench.ordered
    assert list(bench.attached(message).values()) == [b"a signed bundle"]
    assert "ne doivent plus servir" in message.text
    assert "n’était pas en ligne" in message.text
    assert bench.ports.world.obligations[owed.id].closed_at is not None
    assert bench.told("canalvert")[-1] == ("ended", ("DISPUTED",)), "a dispute that is upheld is for good"
    await bench.apply()
    assert bench.now().state == "closed"


async def test_a_dispute_withdrawn_or_disproved_gives_the_lines_back(bench):
    await bench.consent()
    bench.archive[RECORD] = b"a signed bundle"
    await bench.handling.answer(
        await bench.receive("dispute"), outcome="withdrawn", note="Vous nous l’avez écrit hier."
    )
    assert bench.told("canalvert")[-1] == ("granted", ())
    second = await bench.receive("dispute", name="acme/r2")
    assert bench.told("canalvert")[-1] == ("ended", ("DISPUTED",))
    await bench.handling.refuse(second, "proven", "La vidéo du parcours est jointe au dossier.")
    message = bench.ordered[-1]
    assert bench.attached(message), "a refusal because it is proven carries the proof"
    assert "CNIL" in message.text
    assert "tribunal" in message.text
    assert bench.told("canalvert")[-1] == ("granted", ())


async def test_a_rectification_is_told_to_everyone_and_withholds_nothing(bench):
    await bench.consent()
    name = await bench.receive("rectification", details="Mon nom s’écrit Jehanne.")
    await bench.handling.answer(name)
    bodies = dict(bench.orders("rectification"))
    assert set(bodies) == {"acme", "canalvert", "assurbrelle"}
    assert bodies["acme"]["details_url"] == "https://oppo.example/v1/requests/acme/r1/details"
    assert "Jehanne" not in repr(bench.ports.world.published)
    assert bench.told("canalvert") == [("granted", ())]
    await bench.consent(record=SECOND)
    assert bench.told("canalvert", SECOND) == [("granted", ())]


async def test_what_is_refused_as_proven_carries_its_proof_or_is_not_refused(bench):
    await bench.consent()
    name = await bench.receive("dispute")
    with pytest.raises(InputError) as missing:
        await bench.handling.refuse(name, "proven", None)
    assert code(missing) == "PROOF-MISSING"
    assert bench.now().state == "open"


@pytest.mark.parametrize(("reason", "words"), [
    ("excessive", "parce qu’elle est excessive"), ("identity", "parce que nous n’avons pas pu vérifier"),
])  # fmt: skip
async def test_a_refusal_says_why_and_where_to_complain(bench, reason, words):
    await bench.consent()
    await bench.handling.refuse(await bench.receive("access"), reason, None)
    (message,) = bench.ordered
    for expected in (words, "CNIL", "tribunal judiciaire"):
        assert expected in message.text
    assert bench.facts("request.refused")[0]["reason"] == reason
    assert bench.now().state == "closed"


async def test_a_reason_that_is_not_one_is_refused(bench):
    name = await bench.receive("access")
    with pytest.raises(InputError) as refused:
        await bench.handling.refuse(name, "no-time", None)
    assert code(refused) == "VALUE-UNKNOWN"


async def test_an_extension_is_told_to_the_person_with_its_reason_and_its_end(bench):
    await bench.consent()
    bench.clock.advance(timedelta(days=25))
    await bench.handling.extend(await bench.receive("access"), "complex", None)
    assert "mardi 5 janvier 2027" in bench.ordered[0].text
    assert bench.facts("request.extended")[0]["due_at"] == bench.now().due_at == "2027-01-05T09:00:00.000Z"


async def test_the_question_of_identity_asks_for_no_paper_and_is_answered_once(bench):
    await bench.consent()
    name = await bench.receive("erasure", verified=False)
    await bench.handling.ask_identity(name, None)
    assert "Aucune pièce d’identité" in bench.ordered[0].text
    await bench.handling.identity_given(name)
    assert (bench.now().state, bench.now().verified) == ("open", True)


async def test_requests_taken_in_twice_act_once(bench):
    await bench.consent()
    request = bench.request("erasure")
    for _ in range(3):
        await bench.handling.receive([request])
    assert len(bench.ordered) == 1
    assert len(bench.begun) == 1


async def test_a_person_is_found_by_the_reference_of_the_collector_that_gave_it(bench):
    await bench.consent()
    await bench.handling.answer(await bench.receive("access", contacts=(), subject=("acme", "lead-1")))
    await bench.handling.answer(await bench.receive("access", name="acme/r2", contacts=(), subject=("canalvert", "lead-1")),
                                to=Addressee("email", EMAIL["value"]))  # fmt: skip
    found = [len(orjson.loads(bench.attached(m)["acces.json"])["enregistrements"]) for m in bench.ordered]
    assert found == [1, 0], "a reference belongs to one collector"
    assert bench.ordered[0].to == EMAIL["value"], "the address of the record, where the request gives none"


async def test_a_record_named_is_found_by_itself(bench):
    await bench.consent()
    await bench.handling.answer(await bench.receive("access", contacts=(), record=RECORD))
    assert len(orjson.loads(bench.attached(bench.ordered[0])["acces.json"])["enregistrements"]) == 1


async def test_family_members_who_share_a_telephone_are_not_chained(bench):
    await bench.consent()
    other = {**DOCUMENT, "contacts": [PHONE, STRANGER], "subject_ref": "lead-2"}
    await bench.consent(record=SECOND, document=other)
    await bench.handling.answer(await bench.receive("access", contacts=(EMAIL,)))
    answer = orjson.loads(bench.attached(bench.ordered[0])["acces.json"])
    assert [r["enregistrement"] for r in answer["enregistrements"]] == [RECORD]
