"""What `opposable verify` prints for a reader: the answer, what is proven, the state, the story, what is not proven.

Words: « contrôles satisfaits au vu des déclarations du collecteur », never that a consent is valid. What comes out of a
bundle is printed as text: neither markup nor control characters of a file reach the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.language import language, tr
from services.proof_archive.verifying.codes import REASONS
from services.proof_archive.verifying.result import NOT_INDEPENDENT_EN, NOT_INDEPENDENT_FR, Contents, Verification

_STATES = {
    "valid": ("checks satisfied", "contrôles satisfaits"),
    "invalid": ("checks not satisfied", "contrôles non satisfaits"),
    "review": ("to be examined", "à examiner"),
    "stopped": ("stopped by the person", "arrêtée par la personne"),
}
_STATE_CODES = {
    "assessed": (
        "assessed, on the collector's declarations; no stop among the entries",
        "évalué, au vu des déclarations du collecteur ; aucun retrait parmi les entrées",
    ),
    "stopped": ("stopped by the person, at least in part", "arrêté par la personne, au moins en partie"),
    "erased": ("personal data erased", "données personnelles effacées"),
    "unassessed": ("not assessed yet", "pas encore évalué"),
}


_UNVERIFIED = {
    "authority": (
        "timestamp not verified: authority unknown to the trust file",
        "horodatage non vérifié : autorité inconnue du fichier de confiance",
    ),
    "algorithm": ("timestamp not verified: algorithm", "horodatage non vérifié : algorithme"),
}


def report(console: Console, verification: Verification) -> None:
    """Print a verification."""
    if verification.contents is None:
        _refused(console, verification)
        return
    contents = verification.contents
    console.print(Text(tr("✔ The proof holds", "✔ La preuve est vérifiée"), "bold green"))
    if not contents.independent:
        console.print(
            Text(f"! {tr(NOT_INDEPENDENT_EN.capitalize(), NOT_INDEPENDENT_FR.capitalize())} :", "bold yellow"),
            Text(_why_not_independent()),
        )
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(contents):
        facts.add_row(Text(name, "dim"), Text(clean(value)))
    console.print(facts)
    _lines(console, contents)
    _story(console, contents)
    console.print(Text(_not_proven(), "dim"))


def clean(text: str) -> str:
    """The text with what could act on a terminal, or reorder it, made visible."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _refused(console: Console, verification: Verification) -> None:
    console.print(Text(tr("✘ The bundle is refused", "✘ Le dossier est refusé"), "bold red"))
    for problem in verification.problems:
        said = REASONS[problem.code]
        where = f" ({problem.pointer.removeprefix('/')})" if problem.pointer else ""
        console.print(Text(f"{problem.code}{clean(where)} : {tr(said.en, said.fr)}"))


def _facts(contents: Contents) -> Iterator[tuple[str, str]]:
    yield tr("record", "dossier"), contents.record
    party = f" {contents.party}" if contents.party else ""
    yield tr("made for", "établi pour"), contents.requested_for + party
    proven = [log for log in contents.logs if log.proven]
    yield (
        tr("included", "incluses"),
        tr(
            f"{len(contents.entries)} entries in {len(proven)} logs",
            f"{len(contents.entries)} entrées dans {len(proven)} journaux",
        ),
    )
    seen, known = contents.witnessed.seen_by, contents.witnessed.known
    yield tr("witnessed", "témoins"), tr(f"{seen} of {known}", f"{seen} sur {known}")
    yield from _stamps(contents)
    if contents.erased:
        yield (
            tr("personal data", "données personnelles"),
            tr("included, personal data erased", "incluses, données personnelles effacées"),
        )
    else:
        count = len(contents.disclosed)
        yield tr("personal data", "données personnelles"), tr(f"{count} disclosed", f"{count} dévoilée(s)")
    for item in contents.disclosed:
        yield "", f"{item.pointer} = {item.value}"
    if contents.withheld:
        count = len(contents.withheld)
        yield (
            tr("withheld", "non jointes"),
            tr(f"{count} known entries are not in this bundle", f"{count} entrées connues ne sont pas dans ce dossier"),
        )
    for evidence in contents.evidence:
        held = tr("joined", "jointe") if evidence.joined else tr("owed by", "due par") + f" {evidence.owed_by}"
        if evidence.held is not None:
            size = evidence.held
            held = tr(
                f"kept by the platform, {size} bytes: ask it",
                f"conservée par la plateforme, {size} octets : à lui demander",
            )
        yield tr("evidence", "pièce"), f"{evidence.what} {evidence.sha256[:12]}… : {held}"
    if contents.attested:
        yield (
            tr("attestation", "attestation"),
            tr("joined, a retelling: the entries are the proof", "jointe, un récit : la preuve est dans les entrées"),
        )
    yield tr("state", "état"), tr(*_STATE_CODES[contents.state.code])
    for log in contents.logs:
        word = "" if log.proven else tr(" (signer's word)", " (parole du signataire)")
        yield tr("as of size", "à la taille"), f"{log.size} · {log.origin}{word}"


def _lines(console: Console, contents: Contents) -> None:
    if not contents.state.lines and not contents.state.hidden:
        return
    table = Table(title=tr(f"Rules {contents.state.ruleset}", f"Règles {contents.state.ruleset}"), title_justify="left")
    for head in (
        tr("recipient", "destinataire"),
        tr("channel", "canal"),
        tr("purpose", "finalité"),
        tr("state", "état"),
    ):
        table.add_column(head)
    table.add_column(tr("reasons", "motifs"))
    for line in contents.state.lines:
        state = tr(*_STATES[line.state]) if line.state in _STATES else line.state
        why = ", ".join(line.stops or line.reasons)
        row = (line.recipient or "—", line.channel, line.purpose, state, why)
        table.add_row(*(Text(clean(value)) for value in row))
    console.print(table)
    if contents.state.hidden:
        more = contents.state.hidden
        console.print(
            Text(
                tr(
                    f"{more} more lines, not disclosed in this bundle",
                    f"{more} autre(s) ligne(s), non dévoilée(s) dans ce dossier",
                ),
                "dim",
            )
        )


def _story(console: Console, contents: Contents) -> None:
    """The story is part of the bundle, in French; English readers get kinds and parties."""
    for event in contents.timeline:
        told = event["text_fr"] if language() == "fr" else f"{event['kind']} {event['party'] or ''}"
        console.print(Text(f"{event['at']}  "), Text(clean(told)))


def _why_not_independent() -> str:
    return tr(
        "the trust file asks for no witness outside the operator, and no verified timestamp covers every entry: only the "
        "operator's signature vouches for the rest of the log.",
        "le fichier de confiance n'exige aucun témoin extérieur, et aucun horodatage vérifié ne couvre toutes les entrées : "
        "seule la signature de l'opérateur répond du reste du journal.",
    )


def _stamps(contents: Contents) -> Iterator[tuple[str, str]]:
    label, total = tr("timestamped", "horodatage"), len(contents.entries)
    if not contents.timestamps:
        yield label, tr("not", "aucun")
    for stamp in contents.timestamps:
        if stamp.verified:
            yield (
                label,
                tr(
                    f"at {stamp.at} by {stamp.authority}: {stamp.covers} of {total} entries",
                    f"le {stamp.at} par {stamp.authority} : {stamp.covers} entrées sur {total}",
                ),
            )
        else:
            yield label, tr(*_UNVERIFIED[stamp.reason or ""])


def _not_proven() -> str:
    return tr(
        "Not proven: that the collector told the truth; that nothing else exists, beyond the word of the manifest's signer; "
        "anything after the sizes above.",
        "Non prouvé : que le collecteur a dit vrai ; que rien d'autre n'existe, au-delà de la parole du signataire du "
        "manifeste ; ce qui suit les tailles ci-dessus.",
    )
