"""The pages of the one-click link, for persons: short, in French, readable by everyone, loading nothing from anywhere."""

from __future__ import annotations

from html import escape
from string import Template

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


def done(company: str) -> str:
    """The confirmation."""
    return _page(
        "C'est enregistré",
        f"<p>Votre opposition est transmise à <strong>{escape(company)}</strong> et à la société qui avait recueilli vos "
        "coordonnées. Elles doivent cesser leurs messages et en rendre compte.</p>"
        "<p><small>Un message déjà parti peut encore vous parvenir. Vous pouvez fermer cette page.</small></p>",
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
