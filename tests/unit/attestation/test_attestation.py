"""What an attestation says, to whom, in which words; that it is a sound, tagged, reproducible PDF; that values stay values."""

import io
import json
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader

from services.cli import rules_titles
from services.proof_archive.attestation.document import LIMITS, document_of
from services.proof_archive.attestation.independence import Independence
from services.proof_archive.attestation.render import render
from services.proof_archive.attestation.rule_texts import FILE
from services.proof_archive.bundles.manifest import Audience
from tests.unit.attestation import attestation_world as world
from tests.unit.attestation.reading import flat, images_of, text_of
from tests.unit.bundle import bundle_world as base

FORBIDDEN = ("consentement valide", "consentement est valide", "anonyme", "anonymis")


@pytest.fixture(scope="module")
def made():
    """Every variant, rendered once."""
    return {name: render(case) for name, case in world.variants().items()}


@pytest.fixture(scope="module")
def texts(made):
    return {name: text_of(pdf) for name, pdf in made.items()}


STAMPED_AT = "2026-09-14T08:40:00.000Z"
STOP_OF_ANOTHER = {
    "kind": "stop.recorded", "stop": base.STOP, "source": "hibou", "stop_kind": "withdrawal", "at": "2026-10-02T08:31:00.000Z",
    "recipients": "all", "channels": "all", "purposes": "all",
}  # fmt: skip
STATUS = {
    "granted": "Contrôles satisfaits au vu des déclarations du collecteur",
    "granted-collector": "Contrôles satisfaits au vu des déclarations du collecteur, pour 3 lignes sur 4",
    "invalid": "Contrôles non satisfaits",
    "refused": "Refus de la personne",
    "review": "À examiner par une personne",
    "unassessed": "Consentement archivé, contrôles en attente",
    "withdrawn": "Consentement retiré",
    "erased": "Incluses, données personnelles effacées",
}


@pytest.mark.parametrize("variant", STATUS)
def test_each_variant_says_how_it_stands(texts, variant):
    assert flat(STATUS[variant]) in texts[variant]


def test_words_never_say_more_than_what_is_proven(texts):
    for name, text in texts.items():
        for words in FORBIDDEN:
            assert flat(words) not in text.lower(), (name, words)
        for limit in LIMITS:
            assert flat(limit) in text, name
        independent = name == "granted"  # the only one under a trust file with witnesses
        assert (flat("Preuve non indépendante") in text) is not independent


def test_what_a_judge_looks_for_is_there(texts):
    text = texts["withdrawn-collector"]
    for said in (
        "ACME Jeux SAS (acme)", "le collecteur : ACME Jeux SAS", "26 novembre 2026 à 11 h 00 min 00 s",
        "« acme-partners », version 12", "Version archivée le14 septembre 2026 à 10 h 31 min 09 s", "6" * 64,
        "Canal Vert SA999000029canalvert", "case cochée", "b-courriel", "non cochée à l’affichage", "double validation",
        "La personne a refusé", "RGPD 4(11)", "retrait du consentement02/10/2026 10:31:00Canal Vert SA (canalvert)espace de la personne",
        "Canal Vert SA (canalvert)02/10/2026 10:31:0", "appliqué", "02/10/2026 10:45:00clos", "ouvert, opérateur saisi",
        "opposable verify DOSSIER.zip --policy", "verify_opposable.py", "verifier.html", base.RECORD, "/verdicts/",
    ):  # fmt: skip
        assert flat(said) in text, said


def test_a_prospecteur_reads_of_itself_alone():
    case = world.case_of(world.withdraw(world.world()))
    text = text_of(render(case)) + json.dumps(document_of(case))
    for other in ("hibou", "Hibou", "999000227"):
        assert other not in text
    elsewhere = world.withdraw(world.world(), parties=("hibou", "canalvert"))
    elsewhere.logs["stops"].clear()
    elsewhere.facts("stops", {**STOP_OF_ANOTHER}, mine=False)
    assert flat("un autre destinataire") in text_of(render(world.case_of(elsewhere)))
    assert "La liste nomme 2 sociétés" in re.sub(r"\s+", " ", PdfReader(io.BytesIO(render(case))).pages[1].extract_text()
                                                 + PdfReader(io.BytesIO(render(case))).pages[2].extract_text())  # fmt: skip


def test_who_is_not_named_by_the_list_is_told_so():
    text = text_of(render(world.case_of(world.world(entries=[world.HIBOU]))))
    assert flat("Le demandeur n’est pas nommé par cette liste, qui nomme 1 société.") in text


def test_erased_says_nothing_of_the_person(texts):
    assert "jeanne" not in texts["erased"]
    assert flat("Aucune donnée de la personne n’est communiquée") in texts["erased"]
    assert flat("Effacement archivé le") in texts["erased"]


def test_the_screenshot_or_who_owes_it(made, texts):
    assert (images_of(made["granted"]), images_of(made["invalid"])) == (1, 0)
    assert (
        flat("Capture non déposée auprès de la plateforme : ACME Jeux SAS (acme) doit la produire") in texts["invalid"]
    )
    assert world.PICTURE_SHA256 in texts["invalid"]
    assert flat("Aucune capture de la page n’a été enregistrée") in texts["no-screenshot"]


def test_values_are_never_markup(texts):
    """The form's and the company's names are typst code that reads files and panics: they are printed as they are."""
    assert flat('#panic("x") $a$ *b* _c_ `d` \\e @f <g> // /* #read("/etc/passwd")') in texts["hostile"]
    assert "root:x:" not in texts["hostile"]
    assert "[U+202E][U+200B][U+1F600]" in texts["hostile"].replace(flat(" "), "")


HOSTILE = [
    world.HOSTILE, "#{ while true {} }", '#include "/x"', "= Titre\n\n+ liste", "\\u{41}", "#sys.inputs", "\0\x07\x1b", "\ud7ff\ufffe",
    "🇫🇷" * 200, "a" * 5000, "]]]#[[", "*" * 300, "${jndi:x}", "%s%n", "\u202eevil", "<script>alert(1)</script>", "é" * 400,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_any_value_anywhere_gives_a_document(value):
    text = value[:300] or "x"
    entries = [
        {**world.CANALVERT, "legal_name": text, "siren": text[:100], "channels": [text, 3, None]},
        "no object",
        {"party": [text]},
    ]
    w = world.world(
        entries=entries, form={"id": text, "version": 7, "sha256": text}, medium=text, recipient_list={"id": text, "version": text},
        action={"type": text, "default_state": text, "confirmed_by": text}, notice={"id": text, "version": text},
        decisions=[{"channel": text, "purpose": text, "value": text, "object": value, "recipients": [text]}, 7],
        lines=[{**world.line(), "reasons": [text], "channel": text, "valid_until": text, "value": text}],
    )  # fmt: skip
    assert render(world.case_of(w, world.COLLECTOR)).startswith(b"%PDF-1.7")


def test_the_titles_are_those_of_the_rules():
    assert FILE.read_text("utf-8") == rules_titles.content(), "run: python -m services.cli.rules_titles"


def test_a_code_of_another_rule_set_is_shown_as_it_is():
    case = world.case_of(world.world([world.line(verdict="invalid", reasons=["OLD-CODE"])]))
    assert flat("OLD-CODErègle d’un autre jeu") in text_of(render(case))


def test_the_person_reads_everything_of_itself():
    case = world.case_of(world.world(), Audience(scope="person"))
    text = text_of(render(case))
    assert flat("Établie pourla personne concernée") in text
    assert "hibou" in text


@pytest.mark.parametrize(
    ("seen", "ok", "label", "said"),
    [
        (Independence(3, 2, witnessed=True), True, "Preuve vue par des témoins", "2 au moins, sur 3 témoins connus."),
        (
            Independence(3, 2, witnessed=True, stamped_by=("tsa",), first_at=STAMPED_AT), True, "Preuve vue par des témoins",
            "Le consentement est horodaté par tsa (RFC 3161) ; le consentement l’est depuis le 14 septembre 2026 à 10 h 40",
        ),
        (
            Independence(stamped_by=("tsa",), stamped=True, first_at=STAMPED_AT), True, "Preuve horodatée par un tiers",
            "Toutes les entrées citées sont horodatées par tsa (RFC 3161)",
        ),
        (
            Independence(stamped_by=("tsa",), first_at=STAMPED_AT), False, "Preuve non indépendante",
            "aucun tiers n’en a horodaté toutes les entrées",
        ),
        (Independence(), False, "Preuve non indépendante", "sur la seule signature de la plateforme"),
    ],
)  # fmt: skip
def test_who_has_seen_the_proof(seen, ok, label, said):
    told = document_of(replace(world.case_of(world.world()), independence=seen))["independence"]
    assert (told["ok"], told["label"]) == (ok, label)
    assert said in told["text"]
