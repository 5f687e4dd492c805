"""The HTML page of a form version: it shows exactly what the registry claims (sizes, colours, boxes, statements)."""

from __future__ import annotations

from html import escape

from world.companies import COMPANIES, LISTS, NOTICES
from world.forms import Button, FormSpec

_STYLE = """body{font-family:Arial,'DejaVu Sans',sans-serif;font-size:15px;line-height:1.4;color:#1a1a1a;width:640px;margin:16px}
fieldset{border:1px solid #8a8a8a;margin:12px 0;padding:8px 12px}
label{display:block;margin:6px 0}
.actions{margin:16px 0}"""
_CHANNELS = {"email": "e-mail", "sms": "SMS", "call": "appel téléphonique", "post": "courrier", "tracker": "traceur"}
_TEXTS = {
    "professional": "Qui vous appellera et pour quoi : {callers}. Aucun tiers n'appelle pour leur compte.",
    "choice": "Vous répondez oui ou non séparément pour chaque société et pour son offre.",
    "period": "Votre accord vaut moins d'un an, jusqu'à la date rappelée dans l'accusé de réception ; jamais reconduit tacitement.",
    "withdrawal": "Vous pouvez retirer cet accord à tout moment, même oralement pendant un appel, ou sur {privacy}.",
    "proof_access": "La preuve de votre accord vous est remise gratuitement, sans compte, sur {privacy}/preuve.",
}


def page(form: FormSpec) -> str:
    """The whole page, self-contained (no script, no network)."""
    company = COMPANIES[form.collector]
    notice, version = NOTICES[form.collector]
    site = f"https://{form.collector}.example"
    body = [
        f"<h1>{escape(form.title)}</h1>",
        f"<p>{escape(form.intro)}</p>" if not form.conditional else "<p>Participation réservée à qui accepte.</p>",
        '<form method="post" action="#">',
        *([] if form.tracker else _fields(form)),
        *_choices(form),
        *(_calls(form, f"{site}/vie-privee") if form.calls else []),
        *_recipients(form),
        f'<p id="retrait">{escape(_withdrawal(form, site))}</p>',
        f'<p><a href="{site}/{notice}/{version}">Mentions d\'information, version {version}</a></p>',
        *_actions(form),
        "</form>",
    ]
    title = f"{escape(form.title)} – {escape(company.legal_name)}"
    head = f'<meta charset="utf-8">\n<title>{title}</title>\n<style>\n{_STYLE}\n</style>'
    return (
        f'<!doctype html>\n<html lang="fr">\n<head>\n{head}\n</head>\n<body>\n'
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _fields(form: FormSpec) -> list[str]:
    fields = ["Adresse e-mail* <input type='email' name='email'>", "Téléphone <input type='tel' name='telephone'>"]
    if form.post:
        fields.append("Adresse postale <textarea name='adresse' rows='3' cols='36'></textarea>")
    return [f"<label>{text}</label>" for text in fields]


def _choices(form: FormSpec) -> list[str]:
    rows = ["<fieldset>", "<legend>Vos choix (facultatifs)</legend>"]
    for box in form.boxes():
        ticked = " checked" if box["default"] == "on" else ""
        text = escape(_box_text(box["id"], box["channels"]))
        rows.append(f'<label><input type="checkbox" name="{box["id"]}"{ticked}> {text}</label>')
    return [*rows, "</fieldset>"]


def _box_text(name: str, channels: list[str]) -> str:
    if name == "o-courrier":
        return (
            "Je m'oppose à la transmission de mon adresse postale à ces sociétés pour de la prospection par courrier."
        )
    if name == "t-publicite":
        return "J'accepte les traceurs publicitaires des sociétés ci-dessous."
    if name.startswith("b-appel-"):
        caller = COMPANIES[name.removeprefix("b-appel-")]
        return f"J'accepte d'être appelé(e) par {caller.legal_name} au sujet de : {caller.offer}."
    words = " et par ".join(_CHANNELS[channel] for channel in channels)
    return f"J'accepte de recevoir par {words} les offres des destinataires ci-dessous."


def _calls(form: FormSpec, privacy: str) -> list[str]:
    callers = " ; ".join(f"{COMPANIES[party].legal_name} ({COMPANIES[party].offer})" for party in form.calls)
    rows = [
        f'<li data-mention="{name}">{escape(_TEXTS[name].format(callers=callers, privacy=privacy))}</li>'
        for name in form.statements
    ]
    return ['<section id="appels">', "<h2>Si vous acceptez les appels</h2>", "<ul>", *rows, "</ul>", "</section>"]


def _recipients(form: FormSpec) -> list[str]:
    if form.list_shown == "absent":
        return []
    spec = next(item for item in LISTS if (item.id, item.version) == form.recipients)
    head = ['<section id="destinataires">', "<h2>Destinataires</h2>"]
    if spec.categories:
        return [*head, f"<p>Sociétés des secteurs suivants : {escape(', '.join(spec.categories))}.</p>", "</section>"]
    rows = []
    for party, channels, _ in spec.entries:
        company = COMPANIES[party]
        ways = ", ".join(_CHANNELS[channel] for channel in channels)
        rows.append(
            f"<li>{escape(company.legal_name)}, SIREN {company.siren} – {ways} – "
            f'<a href="https://{party}.example/vie-privee">vie privée</a></li>'
        )
    return [*head, f"<p>Liste « {spec.id} », version {spec.version} :</p>", "<ul>", *rows, "</ul>", "</section>"]


def _withdrawal(form: FormSpec, site: str) -> str:
    if form.withdraw_steps == 1:
        return f"Vous pouvez retirer votre consentement à tout moment : un clic sur {site}/vie-privee suffit."
    return (
        f"Vous pouvez retirer votre consentement à tout moment : ouvrez {site}/vie-privee, choisissez « Mon compte », "
        "puis « Mes partenaires », enfin écrivez à chacun d'eux."
    )


def _actions(form: FormSpec) -> list[str]:
    accept, refuse = _button("accepter", form.accept), _button("refuser", form.refuse)
    if form.tracker and form.tracker[1] > 1:
        nested = "<details><summary>Paramétrer</summary><details><summary>Nos partenaires</summary>"
        return [f'<p class="actions">{accept}</p>', f"{nested}<p>{refuse}</p></details></details>"]
    if form.refusal_below:
        return [f'<p class="actions">{accept}</p>', f'<p class="actions">{refuse}</p>']
    return [f'<p class="actions">{accept} {refuse}</p>']


def _button(name: str, looks: Button) -> str:
    front, back = looks.colours
    style = (
        f"border:0;padding:0;width:{looks.width}px;height:{looks.height}px;line-height:{looks.height}px;"
        f"font-size:{looks.font}px;color:{front};background-color:{back}"
    )
    return f'<button id="{name}" type="submit" style="{style}">{escape(looks.label)}</button>'
