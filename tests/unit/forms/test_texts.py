"""What a page tells: statements on calls, items of RGPD 13, withdrawal, conditions, advantages, minors, post, recipients."""

from pathlib import Path

import pytest
import yaml

from services.form_inspector import conditions, recipients, statements
from services.form_inspector.boxes import Box
from services.form_inspector.choices import Choices
from services.form_inspector.facts import Page, Rect, Seen
from services.form_inspector.texts import Line
from shared.forms.wording import normal

CASES = Path(__file__).resolve().parents[2] / "cases"
NOTICES = list(yaml.safe_load_all((CASES / "registry" / "notices.yaml").read_text("utf-8")))


def line(text: str, heading: str = "", *, depth: int = 0, label: bool = False, legible: bool = True) -> Line:
    return Line(
        text=text, plain=normal(text), heading=normal(heading), depth=depth, path=("x",) * depth, order=0, list=-1, row=-1,
        label=label, title=False, legible=legible, rect=Rect(x=0, y=0, width=1, height=1), addresses=(),
    )  # fmt: skip


def box(label: str = "", *, channels=("call",), objects=False, required=False, parties=("Lune SA",)) -> Box:
    return Box(
        id="b", label=label, channels=channels, purposes=("prospecting",), default="off", with_terms=False, required=required,
        objects=objects, asks=True, hidden=None, guessed=False, parties=parties, rect=None, path=(), scope=1,
    )  # fmt: skip


NO_CHOICE = Choices(
    acceptance=None, accept_depth=None, refusal=None, unclear=None, unseen=(), named=None, optional=False, banner=False, other_banner=False
)  # fmt: skip


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: f"{notice['id']}-{notice['version']}")
def test_items_of_registered_notices(notice) -> None:
    text = (CASES / "notices" / f"{notice['id']}-{notice['version']}.txt").read_text("utf-8")
    assert statements.items_of(text.splitlines()) == notice["items"]


def told(*texts: str, heading: str = "Appels téléphoniques") -> set[str]:
    return set(statements.of_calls([box("J'accepte d'être appelé(e)")], [line(text, heading) for text in texts]))


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("professional", "Lune SA vous appellera au sujet de ses abonnements, elle-même ou par un prestataire."),
        ("professional", "Qui vous appelle : Lune SA (contrats d'électricité). Aucun tiers n'appelle pour son compte."),
        ("choice", "Vous répondez oui ou non séparément pour chaque société."),
        ("choice", "Vous pouvez accepter ou refuser les appels de chacune."),
        ("period", "Votre accord est valable 6 mois."),
        ("period", "Il expire au bout de six mois."),
        ("period", "Il vaut jusqu'au 31 décembre 2026."),
        ("withdrawal", "Vous pouvez retirer cet accord à tout moment, de vive voix pendant un appel."),
        ("withdrawal", "Pour revenir sur votre choix : https://lune.example/stop"),
        ("proof_access", "La preuve de votre accord vous est remise gratuitement."),
        ("proof_access", "Vous pouvez demander une copie de la preuve."),
    ],
)
def test_each_statement_in_several_words(statement, text) -> None:
    assert statement in told(text)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("professional", "Lune SA vous appellera au sujet de ses abonnements."),
        ("professional", "Nos partenaires ou leurs prestataires vous appelleront."),
        ("withdrawal", "Vous pouvez retirer cet accord."),
        ("withdrawal", "Vous ne pouvez pas retirer votre accord, ni par téléphone ni en un clic."),
        ("proof_access", "Aucune preuve ne vous est remise."),
        ("proof_access", "La preuve est conservée trois ans."),
        ("period", "Votre accord est donné pour les appels."),
    ],
)
def test_what_proves_no_statement(statement, text) -> None:
    assert statement not in told(text)


def test_a_general_sentence_is_no_statement_on_calls() -> None:
    general = "Vous pouvez retirer votre consentement à tout moment, en un clic."
    assert told(general, heading="Vos droits") == set()
    assert told(general) == {"withdrawal"}


def test_small_print_and_labels_prove_nothing() -> None:
    text = "Vous répondez oui ou non séparément pour chaque société."
    assert statements.of_calls([], [line(text, "Appels", legible=False), line(text, "Appels", label=True)]) == {}


@pytest.mark.parametrize(
    ("text", "long"),
    [("valable trois ans", True), ("valable 18 mois", True), ("vaut douze mois", False), ("vaut moins d'un an", False)],
)
def test_periods_over_a_year(text, long) -> None:
    assert statements.too_long([line(f"Votre accord {text}.")]) is long


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Vous pouvez retirer votre accord à tout moment, en un clic.", 1),
        ("Vous pouvez vous y opposer en 2 clics.", 2),
        ("Vous pouvez changer d'avis à tout moment : trois étapes suffisent.", 3),
        ("Vous pouvez retirer votre accord : quatre portes, une par fichier.", 4),
        ("Vous pouvez retirer votre accord à tout moment.", None),
    ],
)
def test_withdrawal_and_its_steps(text, steps) -> None:
    found = conditions.withdrawal([line(text)])
    assert found
    counted = conditions.withdrawal_steps(found)
    assert (counted and counted.value) == steps


def test_no_withdrawal_where_it_is_denied_or_for_calls_alone() -> None:
    denied = line("Votre accord est définitif et vous ne pouvez pas retirer votre consentement.")
    assert conditions.withdrawal([denied]) == ()
    assert conditions.denied([denied]) == (denied,)
    assert conditions.withdrawal([line("Vous pouvez retirer cet accord.", "Appels téléphoniques")]) == ()
    assert conditions.by_letter_only([line("Retrait uniquement par courrier recommandé.")])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Pour jouer, vous devez accepter de recevoir les offres de nos partenaires.", True),
        ("Sans accord, la participation n'est pas enregistrée.", True),
        ("Vous devez laisser cette case cochée.", True),
        ("La participation est gratuite, avec ou sans offres.", False),
        ("Vous recevez le devis que vous acceptiez ou non.", False),
        ("Refuser n'empêche pas de participer.", False),
        ("Vous devez accepter le règlement du jeu.", None),
        ("Vous devez être majeur pour recevoir nos offres.", None),
        ("Bonjour.", None),
    ],
)
def test_whether_the_service_hangs_on_consent(text, value) -> None:
    found = conditions.service([line(text)], [], NO_CHOICE)
    assert (found and found.value) is value


def test_a_required_box_ties_the_service() -> None:
    found = conditions.service([], [box(required=True)], NO_CHOICE)
    assert found
    assert found.value is True
    assert conditions.service([], [box(required=True, objects=True)], NO_CHOICE) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("10 € offerts si vous acceptez d'être appelé(e).", True),
        ("En acceptant, recevez un bon d'achat.", True),
        ("Acceptez et recevez un cadeau.", True),
        ("Pour envoyer vos réponses et recevoir votre bon, vous devez laisser cette case cochée.", False),
    ],
)
def test_advantages_with_consent(text, plain) -> None:
    assert conditions.incentive([line(text)])
    assert conditions.plain_incentive(line(text)) is plain


def test_prizes_and_offers_alone_are_no_advantage() -> None:
    assert (
        conditions.incentive([line("Tentez de gagner un panier garni."), line("J'accepte de recevoir des offres.")])
        == ()
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Réservé aux collégiens de 11 à 15 ans.", True),
        ("Si tu as moins de 15 ans, demande à tes parents.", True),
        ("Interdit aux moins de 18 ans.", False),
        ("Jeu réservé aux personnes majeures.", False),
        ("Un jeu pour tous.", None),
        ("Comparez des assurances.", None),
    ],
)
def test_minors(text, value) -> None:
    found = conditions.minors([line(text)])
    assert (found and found.value) is value


def test_minors_where_the_page_says_both() -> None:
    assert conditions.minors([line("Réservé aux majeurs."), line("Ouvert aux lycéens.")]) is None


def test_post() -> None:
    transfer = line("Votre adresse postale peut être transmise à Lune SA pour de la prospection par courrier.")
    objection = box("Je m'oppose à cette transmission.", channels=("post",), objects=True)
    assert conditions.post([transfer], [objection]) == {"transfer_told": True, "objection_offered": True}
    assert conditions.post([transfer], []) == {"transfer_told": True, "objection_offered": False}
    assert conditions.post([], [objection]) == {"transfer_told": False, "objection_offered": True}
    assert conditions.post([line("Lune SA, SIREN 999000086 – prospection par courrier")], []) is None
    refused = line(
        "Le choix ci-dessous ne concerne pas cette transmission de votre adresse postale, à laquelle vous ne pouvez pas vous opposer."
    )
    assert conditions.post([transfer, refused], []) == {"transfer_told": True, "objection_offered": False}


EMPTY = Page(
    source="x", browser="x", html_sha256="0" * 64, screenshot_sha256="0" * 64, screens=(), incomplete=False, narrow=None, blocked={},
    closed_roots=0, linked={},
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "shown", "nature"),
    [
        ([line("Lune SA, SIREN 999000086", "Destinataires")], "on_form", "named"),
        ([line("Nos partenaires Lune SA et Mer SARL recevront vos données.")], "on_form", "named"),
        ([line("Nos partenaires des secteurs suivants : assurance, télévision.")], "on_form", "categories"),
        ([line("Lune SA, SIREN 999000086", "Destinataires", depth=1)], "link", "named"),
        ([line("Lune SA, SIREN 999000086", "Destinataires", legible=False)], "link", "named"),
        ([line("Les offres peuvent provenir de nos partenaires.")], "absent", None),
        ([line("Lune SA vous appellera.", "Appels")], "absent", None),
        ([line("Votre adresse postale peut être transmise à Lune SA.")], "absent", None),
    ],
)
def test_how_recipients_are_shown(lines, shown, nature) -> None:
    found = recipients.find(EMPTY, lines, None)
    assert (found.shown, found.nature) == (shown, nature)


def test_facts_refuse_unknown_fields() -> None:
    with pytest.raises(ValueError, match="extra"):
        Seen.model_validate({"surprise": 1})
