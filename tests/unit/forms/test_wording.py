"""How a label speaks, and that the balance score reads it."""

import pytest

from shared.forms.wording import evades, normal, says_acceptance, says_refusal, shames
from shared.registry.balance import Parts, parts, unbalance
from shared.registry.shown import Control

REFUSE = [
    "Tout refuser",
    "Continuer sans accepter", "Non merci", "Je refuse", "Quitter le jeu", "Ne pas accepter", "Valider sans recevoir d'offres",
    "Je n’accepte pas", "Rejeter tout", "Uniquement les cookies nécessaires", "Tout désactiver", "Je m'oppose à cette transmission",
    "REFUSER", "Décliner", "Aucun cookie",
]  # fmt: skip
ACCEPT = [
    "Tout accepter", "J'accepte", "J’accepte tout", "Oui, je participe !", "Jouer et accepter", "D'accord", "OK", "Accepter sans attendre",
    "J'en profite sans engagement", "Je joue et je profite des offres", "J'ai compris", "Autoriser",
]  # fmt: skip
NEITHER = [
    "Envoyer",
    "Continuer",
    "Je joue",
    "Paramétrer",
    "Plus tard",
    "Valider ma commande",
    "Ne manquez pas nos offres",
    "Ignorer",
]


@pytest.mark.parametrize("label", REFUSE)
def test_labels_that_refuse(label: str) -> None:
    assert says_refusal(label)
    assert not says_acceptance(label)


@pytest.mark.parametrize("label", ACCEPT)
def test_labels_that_accept(label: str) -> None:
    assert says_acceptance(label)
    assert not says_refusal(label)


@pytest.mark.parametrize("label", NEITHER)
def test_labels_that_say_neither(label: str) -> None:
    assert not says_refusal(label)
    assert not says_acceptance(label)


@pytest.mark.parametrize("label", ["Plus tard", "Pas maintenant", "Ignorer", "×", "Passer cette étape", "Fermer"])
def test_labels_that_evade(label: str) -> None:
    assert evades(label)


@pytest.mark.parametrize(
    "label",
    [
        "Non, je préfère payer plus cher",
        "Non merci, je renonce à mon cadeau",
        "Tant pis pour moi",
        "Non, je n'aime pas faire d'économies",
        "Je vais rater cette occasion",
        "Non, je paie plein tarif",
    ],
)
def test_labels_that_shame(label: str) -> None:
    assert shames(label)


@pytest.mark.parametrize("label", [*REFUSE, *ACCEPT, *NEITHER])
def test_plain_labels_do_not_shame(label: str) -> None:
    assert not shames(label)


def test_normal_form_folds_what_typing_varies() -> None:
    assert normal("  J’ACCEPTE d'être appelé(e)\u00a0: ") == "j'accepte d'etre appele :"
    assert normal("Cœur · client·e·s") == "coeur · client"


BUTTON = {"width_px": 200, "height_px": 40, "font_px": 16, "contrast": 8}


def test_wording_weighs_ten_points() -> None:
    accept = Control(label="J'accepte", **BUTTON)
    assert parts(Control(label="Je refuse", **BUTTON), accept) == Parts(0, 0, 0, 0)
    for label in ("Plus tard", "Continuer", "Non, je préfère payer plus cher"):
        assert unbalance(Control(label=label, **BUTTON), accept) == 10


def test_no_refusal_is_as_unbalanced_as_can_be() -> None:
    assert unbalance(Control(present=False), Control(label="J'accepte", **BUTTON)) == 100


def test_the_default_thresholds_are_those_of_the_rules() -> None:
    from services.consent_validator.rules.model import RuleSettings  # noqa: PLC0415
    from services.consent_validator.settings import ValidatorSettings  # noqa: PLC0415
    from shared.registry.balance import INVALID_FROM, REVIEW_FROM  # noqa: PLC0415

    settings = RuleSettings()
    assert (settings.unbalanced_review, settings.unbalanced_invalid) == (REVIEW_FROM, INVALID_FROM)
    chosen = ValidatorSettings()
    assert (chosen.rules_unbalanced_review, chosen.rules_unbalanced_invalid) == (REVIEW_FROM, INVALID_FROM)
