"""What a box's label covers, and which companies a text names."""

import pytest

from services.form_inspector.companies import Company, in_text, names, sirens
from services.form_inspector.words import channels, covers
from shared.forms.wording import normal


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("par e-mail et par SMS", ("email", "sms")),
        ("par courrier électronique", ("email",)),
        ("par courriel ou par courrier postal", ("email", "post")),
        ("J'accepte d'être appelé(e)", ("call",)),
        ("par appel automatisé", ("automated_call",)),
        ("par appel automatisé et par appel téléphonique", ("automated_call", "call")),
        ("par message vocal préenregistré", ("automated_call",)),
        ("par fax", ("automated_call",)),
        ("par WhatsApp ou MMS", ("sms",)),
        ("par notification", ("push",)),
        ("sur les réseaux sociaux", ("social",)),
        ("dépôt de cookies", ("tracker",)),
        ("la newsletter", ("email",)),
        ("Je m'oppose à la transmission de mon adresse postale", ("post",)),
        ("J'accepte que mon numéro de téléphone soit transmis", ()),
        ("mon adresse e-mail sera transmise", ()),
        ("les offres de nos partenaires", ()),
    ],
)
def test_channels(label, found) -> None:
    assert channels(normal(label)) == tuple(sorted(found, key=ORDER.index))


ORDER = ["email", "sms", "automated_call", "call", "post", "push", "social", "tracker"]


@pytest.mark.parametrize(
    "words", ["par tout moyen", "par tous les canaux", "par voie électronique", "par des moyens électroniques"]
)
def test_words_for_several_channels_name_none(words: str) -> None:
    assert covers(normal(f"J'accepte de recevoir {words} des offres")).channels is None


@pytest.mark.parametrize(
    ("label", "purposes"),
    [
        ("Publicité ciblée", ("ad_tracking",)),
        ("Mesure individuelle d'ouverture", ("open_tracking",)),
        ("J'accepte les offres et la mesure d'ouverture des messages", ("prospecting", "open_tracking")),
        ("J'accepte d'être appelé(e) par X au sujet de : fenêtres", ("prospecting",)),
        ("Se souvenir de moi", ()),
    ],
)
def test_purposes(label, purposes) -> None:
    assert covers(normal(label)).purposes == purposes


def test_terms_objections_and_service_messages() -> None:
    bundled = covers(normal("J'accepte le règlement du jeu, les CGV et la réception par e-mail des offres"))
    assert bundled.terms
    assert bundled.channels == ("email",)
    assert covers(normal("Je ne souhaite pas recevoir d'offres")).objects
    assert covers(normal("Je m'oppose à cette transmission")).objects
    assert not covers(normal("Je souhaite recevoir les offres")).objects
    assert covers(normal("Recevoir par SMS le suivi de ma commande")).service


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("transmise à Isolombre Rénovation SAS, Formabrume SAS pour", ["Isolombre Rénovation SAS", "Formabrume SAS"]),
        ("nos partenaires Téléverveine SA et Assurbrelle SA.", ["Téléverveine SA", "Assurbrelle SA"]),
        ("La Gazette de Tournelune SAS, SIREN 999000144", ["La Gazette de Tournelune SAS"]),
        ("les offres des Éditions du Merle Cendré SA.", ["Éditions du Merle Cendré SA"]),
        ("Voix du Vent SARL", ["Voix du Vent SARL"]),
        ("Jeu de SAS Dupont Frères", ["SAS Dupont Frères"]),
        ("Canal Vert et Bouygues", []),
        ("il sa va", []),
    ],
)
def test_company_names(text, found) -> None:
    assert names(text) == found


def test_siren_numbers() -> None:
    assert sirens("SIREN 999 000 086 et RCS Paris 999000110") == ["999000086", "999000110"]
    assert sirens("SIRET 999 000 086 00012") == ["999000086"]
    assert sirens("téléphone 01 99 00 08 60 ou 0199000860, SIREN 999000087") == []
    assert in_text("Téléverveine SA (999 000 086)") == [Company("Téléverveine SA", "999000086")]


def test_a_long_line_of_capitals_is_read_at_once() -> None:
    assert names("A" * 200_000 + " b") == []
    assert names("A " * 50_000) == []
