"""The pages of the one-click link, for persons: short, in French, readable by everyone, loading nothing from anywhere."""

from __future__ import annotations

from html import escape
from string import Template
from typing import Any

_PAGE = Template("""<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>$title</title>
<style>
:root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, sans-serif; }
body { max-width: 34rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
button { font: inherit; font-weight: 600; padding: .8rem 1.4rem; border: 0; border-radius: .5rem; cursor: pointer;
  background: #1a4fb4; color: #fff; }
button:focus-visible { outline: 3px solid #e0a100; outline-offset: 3px; }
small { opacity: .8; }
</style>
</head>
<body>
<main>
<h1>$title</h1>
$body
</main>
</body>
</html>
""")

ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"text/html": {"schema": {"type": "string"}}}}
    for status, text in (
        (404, "No link of ours: a page that says so"),
        (503, "Not done: a page that asks to try again"),
    )
}
"""Persons are answered in pages, whatever happens."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}


def ask(company: str) -> str:
    """The question, with its one button. Reading this page changes nothing."""
    return _page(
        "Ne plus être démarché",
        f"<p>Vous ne souhaitez plus recevoir de prospection de <strong>{escape(company)}</strong> ?</p>"
        '<form method="post"><button type="submit">Oui, arrêter toute prospection</button></form>'
        "<p><small>Cela vaut pour tous les moyens : courriel, SMS, appel, courrier. C'est gratuit, immédiat, et vous n'avez "
        "rien à justifier.</small></p>",
    )


def done(company: str, for_all: str, erasure: str) -> str:
    """The confirmation, which offers to stop everyone else too, and to erase (RGPD 17(1)(b)).

    `for_all`, `erasure`: addresses, relative to the link, that do it.
    """
    return _page(
        "C'est enregistré",
        f"<p>Votre opposition est transmise à <strong>{escape(company)}</strong> et à la société qui avait recueilli vos "
        "coordonnées. Elles doivent cesser leurs messages et en rendre compte.</p>"
        "<p>D’autres sociétés ont pu recevoir les mêmes coordonnées. Vous pouvez les arrêter toutes :</p>"
        f'<form method="post" action="{escape(for_all, quote=True)}"><button type="submit">Arrêter aussi toutes les autres'
        "</button></form>"
        "<p>Vous pouvez aussi demander que ces données soient effacées. Vous recevrez une réponse dans le mois.</p>"
        f'<form method="post" action="{escape(erasure, quote=True)}"><button type="submit">Demander l’effacement</button></form>'
        "<p><small>Un message déjà parti peut encore vous parvenir. Sinon, vous pouvez fermer cette page.</small></p>",
    )


def done_for_all() -> str:
    """The confirmation that everyone is told."""
    return _page(
        "C’est enregistré pour toutes les sociétés",
        "<p>Votre opposition est transmise à toutes les sociétés à qui ces coordonnées ont été ou pourraient être confiées, et à "
        "celle qui les avait recueillies. Elle vaut pour tous les moyens : courriel, SMS, appel, courrier.</p>"
        "<p><small>Un message déjà parti peut encore vous parvenir. Vous pouvez fermer cette page.</small></p>",
    )


def asked() -> str:
    """The confirmation of a request of erasure."""
    return _page(
        "Votre demande est enregistrée",
        "<p>L’effacement de vos données est demandé à la société qui les a recueillies et à celles qui les ont reçues. Vous "
        "recevrez une réponse dans le mois, à l’adresse qui figure dans ces données.</p>"
        "<p><small>Votre opposition, elle, vaut dès maintenant. Vous pouvez fermer cette page.</small></p>",
    )


def unknown() -> str:
    """For a link that is not one of ours."""
    return _page(
        "Ce lien n'est pas valide",
        "<p>Il a sans doute été coupé. Copiez l'adresse entière depuis le message que vous avez reçu, ou écrivez à la société "
        "qui vous l'a envoyé.</p>",
    )


def later() -> str:
    """For a moment when nothing can be written."""
    return _page(
        "Réessayez dans un instant",
        "<p>Votre demande n'a pas pu être enregistrée pour l'instant. Rechargez cette page dans quelques secondes.</p>",
    )


def _page(title: str, body: str) -> str:
    return _PAGE.substitute(title=escape(title), body=body)
