"""Sentences of the demonstration, in French and in English."""

from __future__ import annotations

from typing import Any, Literal

Language = Literal["fr", "en"]

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("Opposable : la démonstration", "Opposable: the demonstration"),
    "starting": ("Démarrage des moteurs et des services", "Starting engines and services"),
    "registry": ("Registre publié", "Registry published"),
    "publishing": ("Consentements publiés par trois collecteurs", "Consents published by three collectors"),
    "receipts": ("Reçus rendus", "Receipts given"),
    "assessed": ("Consentements évalués", "Consents assessed"),
    "permitted": ("Réponses aux prospecteurs", "Answers to prospecteurs"),
    "sealed": ("Enregistrements scellés par le journal", "Records sealed by the log"),
    "withdrawing": ("Retraits publiés", "Withdrawals published"),
    "reaching": ("Ordres de retrait remis", "Stop orders delivered"),
    "answering": ("Ordres acquittés", "Orders acknowledged"),
    "chasing": ("Relances de qui n'a pas appliqué", "Reminders to who has not applied"),
    "returning": ("Réimports après retrait", "Re-imports after the withdrawals"),
    "checking": (
        "Recompte de tout, depuis le début des topics",
        "Counting everything again, from the start of the topics",
    ),
    "stopping": ("Arrêt des services et des moteurs", "Stopping services and engines"),
    "inputs": ("Ce que les collecteurs ont envoyé", "What the collectors sent"),
    "accepted": ("acceptés", "accepted"),
    "duplicate": ("doublons, sans effet", "duplicates, no effect"),
    "conflict": ("conflits, refusés et archivés", "conflicts, refused and archived"),
    "rejected": ("rejetés, gardés avec leur motif", "rejected, kept with their reason"),
    "verdicts": ("Ce que valent ces consentements", "What these consents are worth"),
    "valid": ("lignes valables", "valid lines"),
    "invalid": ("lignes sans valeur", "invalid lines"),
    "review": ("lignes à revoir", "lines to review"),
    "reason": ("Motif", "Reason"),
    "lines": ("Lignes", "Lines"),
    "means": ("Ce qu'il veut dire", "What it means"),
    "permissions": ("Ce que chaque prospecteur peut faire", "What each prospecteur may do"),
    "prospector": ("Prospecteur", "Prospecteur"),
    "may": ("Autorisés", "Granted"),
    "may_not": ("Refusés", "Refused"),
    "party": ("Partie", "Party"),
    "behaviour": ("Joue", "Plays"),
    "orders": ("Ordres", "Orders"),
    "told": ("Remis en", "Told in"),
    "answered_in": ("Répond en", "Answers in"),
    "reminders": ("Relances", "Reminders"),
    "open": ("Dus", "Owed"),
    "withdrawals": ("Où les retraits sont allés", "Where the withdrawals went"),
    "propagation": (
        "{orders} ordres remis en {p50} (médiane), {p99} (99 sur 100) après l'arrivée du retrait.",
        "{orders} orders delivered in {p50} (median), {p99} (99 of 100) after the withdrawal arrived.",
    ),
    "log": ("Le journal de preuve", "The proof log"),
    "topic": ("Topic", "Topic"),
    "logs": ("Journaux", "Logs"),
    "entries": ("Entrées", "Entries"),
    "checkpoints": ("Points de contrôle signés", "Signed checkpoints"),
    "size": ("Taille", "Size"),
    "promises": ("Ce qui était promis", "What was promised"),
    "prompt": ("prompt", "prompt"),
    "slow": ("lent", "slow"),
    "unknown": ("dit inconnu", "says unknown"),
    "silent": ("muet", "silent"),
    "late": ("En retard : {who}.", "Late: {who}."),
    "nobody_late": ("Personne n'est en retard.", "Nobody is late."),
    "kept": (
        "{kept} promesses tenues sur {all}, en {seconds:.0f} s.",
        "{kept} of {all} promises kept, in {seconds:.0f} s.",
    ),
    "files": ("Preuve : {path}", "Proof: {path}"),
    "running": ("Tout reste démarré. Ctrl-C arrête tout.", "Everything stays up. Ctrl-C stops all of it."),
    "try": ("À essayer dans un autre terminal :", "To try in another terminal:"),
    "unfinished": ("pas fini à temps : {what}", "not finished in time: {what}"),
    "promise.answered": (
        "Chaque envoi a son reçu : {inputs} envois, {receipts} reçus",
        "Every input has its receipt: {inputs} inputs, {receipts} receipts",
    ),
    "promise.expected": (
        "Chaque reçu dit ce qu'il devait dire : {accepted} acceptés, {duplicate} doublons, {conflict} conflits, {rejected} rejets",
        "Every receipt says what it should: {accepted} accepted, {duplicate} duplicates, {conflict} conflicts, {rejected} rejected",
    ),
    "promise.dead": (
        "Rien de rejeté n'est perdu : {rejected} rejets, {dead} gardés octet pour octet avec leur motif",
        "Nothing rejected is lost: {rejected} rejected, {dead} kept byte for byte with their reason",
    ),
    "promise.lost": (
        "Zéro perte : {accepted} acceptés = {consents} enregistrés = {verdicts} évalués = {archived} archivés et scellés",
        "Zero lost: {accepted} accepted = {consents} recorded = {verdicts} assessed = {archived} archived and sealed",
    ),
    "promise.verdicts": (
        "Les {lines} lignes de verdict sont celles attendues, motif par motif",
        "The {lines} verdict lines are the expected ones, reason by reason",
    ),
    "promise.told": (
        "Chaque ligne est dite une fois à celui qu'elle nomme : {lines} lignes = {granted} autorisées + {refused} refusées",
        "Every line is told once to whom it names: {lines} lines = {granted} granted + {refused} refused",
    ),
    "promise.stops": (
        "{stops} retraits, {orders} ordres : toutes les parties concernées ({parties}), recalculées à part, et elles seules",
        "{stops} withdrawals, {orders} orders: every party concerned ({parties}), worked out apart, and no other",
    ),
    "promise.followed": (
        "Les ordres sont suivis : {closed} appliqués, {open} encore dus par qui se tait ou conteste, {reminded} relancés",
        "Orders are followed up: {closed} applied, {open} still owed by who is silent or contests, {reminded} reminded",
    ),
    "promise.named": (
        "Rien n'est simplement « en cours » : les {owed} ordres dus ont chacun responsable, cause, échéance, prochain essai",
        'Nothing is just "in processing": each of the {owed} orders owed has an owner, a cause, a due time, a next attempt',
    ),
    "promise.reimports": (
        "Réimporté après un retrait : {held} lignes tenues fermées, {reopened} rouvertes par une nouvelle confirmation",
        "Re-imported after a withdrawal: {held} lines kept closed, {reopened} re-opened by a new confirmation",
    ),
    "promise.log": (
        "{logs} journaux, {entries} entrées relues : les {checkpoints} points de contrôle signés sont tous exacts",
        "{logs} logs, {entries} entries read again: all {checkpoints} signed checkpoints are exact",
    ),
    "promise.proof": (
        "La preuve ({bytes} octets, {members} pièces) se vérifie hors ligne, sans nous",
        "The proof ({bytes} bytes, {members} members) verifies offline, without us",
    ),
    "promise.tampered": (
        "La même, un octet changé (n° {place}), est refusée",
        "The same with one byte changed (no. {place}) is refused",
    ),
    "promise.clear": (
        "Aucune coordonnée en clair dans {records} enregistrements internes et {files} journaux techniques ({needles} cherchées)",
        "No contact in clear in {records} internal records and {files} log files ({needles} looked for)",
    ),
    "promise.person": (
        "{asked} personnes demandent leur page : {mails} courriels, un lien chacun, et {steps} lignes de suivi lues derrière",
        "{asked} persons ask for their page: {mails} mails, one link each, and {steps} lines of follow-up read behind them",
    ),
    "promise.timely": ("Tout était fini à temps", "Everything was finished in time"),
}


class Words:
    """The sentences of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **figures: Any) -> str:
        """A sentence with its figures; numbers are grouped as the language does."""
        text = TEXTS[key][self.language == "en"]
        return text.format(**{name: self.number(v) if isinstance(v, int) else v for name, v in figures.items()})

    def number(self, value: int) -> str:
        """12345 → `12 345` or `12,345`."""
        return f"{value:,}" if self.language == "en" else f"{value:,}".replace(",", "\u202f")

    def duration(self, milliseconds: float) -> str:
        """A duration a person reads."""
        if milliseconds < 1000:  # noqa: PLR2004 - one second
            return f"{milliseconds:.0f} ms"
        text = f"{milliseconds / 1000:.1f} s"
        return text if self.language == "en" else text.replace(".", ",")
