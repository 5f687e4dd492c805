"""May this party's document enter the registry, and by whose hand? Pure.

A collector submits its own forms, lists and notices, signed. It is applied at once where the operator delegated that in the
agreements concerned (`self_service: true`), else it waits for the operator. The least permissive agreement counts: for a
list those with the companies it names, for a form or a notice every agreement of the collector in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from services.consent_validator.rules.page import current
from shared import canonical
from shared.errors import InputError, IntegrityError, Problem
from shared.intake.schema import problems_of
from shared.registry.check import examine
from shared.registry.load import Document
from shared.registry.models import Agreement, key_of, parse
from shared.registry.shown import Form, Notice, RecipientList
from shared.registry.submissions import KINDS, check_signature
from shared.registry.view import RegistryView


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is to be done with a submission. `reason`: why it waits for the operator, None where it is applied at once."""

    key: str
    warnings: tuple[Problem, ...]
    reason: str | None


def rule(document: Any, signature: str, party: str, view: RegistryView, today: date) -> Ruling:
    """The ruling. Raises InputError where the document cannot enter the registry at all, with every reason."""
    entry = _parsed(document)
    key = key_of(document)
    owner = view.party(party)
    if owner is None or owner.status == "suspended":
        raise _refused("PARTY-SUSPENDED", "", "a suspended party submits nothing")
    if "collector" not in owner.roles:
        raise _refused("REGISTRY-ROLE", "", "only a collector submits forms, lists and notices")
    _owned(entry, party, view)
    check_signature(document, signature, owner.public_keys)
    findings = examine(Document(key, document), view)
    errors = [finding.problem for finding in findings if finding.severity == "error"]
    if errors:
        raise InputError(errors)
    warnings = tuple(finding.problem for finding in findings)
    return Ruling(key, warnings, _why_queued(entry, party, view, today))


def _parsed(document: Any) -> Form | RecipientList | Notice:
    if not isinstance(document, dict) or document.get("kind") not in KINDS:
        raise _refused("REGISTRY-KIND", "/document/kind", f"a party submits its own {', '.join(sorted(KINDS))}")
    try:
        canonical.check(document)
        entry = parse(document)
    except ValidationError as error:
        found = problems_of(error, document, skip=1)
        raise InputError([Problem(p.code, f"/document{p.pointer}", p.message) for p in found]) from None
    except IntegrityError as error:
        raise _refused("REGISTRY-JSON", "/document", str(error)) from None
    assert isinstance(entry, Form | RecipientList | Notice)  # noqa: S101 - by its kind
    return entry


def _owned(entry: Form | RecipientList | Notice, party: str, view: RegistryView) -> None:
    """A form or list says whose it is; a notice is whose forms cite it."""
    if isinstance(entry, Notice):
        others = {form.collector for form in view.forms() if form.notice is not None and form.notice.id == entry.id}
        if others - {party}:
            raise _refused("REGISTRY-OWNER", "/document/id", "a form of another collector cites this notice")
    elif entry.collector != party:
        raise _refused("REGISTRY-OWNER", "/document/collector", "a party submits its own documents only")


def _why_queued(entry: Form | RecipientList | Notice, party: str, view: RegistryView, today: date) -> str | None:
    if isinstance(entry, Notice) and not any(
        form.collector == party and form.notice is not None and form.notice.id == entry.id for form in view.forms()
    ):
        return "a new notice, which no form of this collector cites yet"
    if isinstance(entry, RecipientList):
        return _why_list(entry, party, view, today)
    return _why(view.agreements_of(party), today, "an agreement")


def _why_list(entry: RecipientList, party: str, view: RegistryView, today: date) -> str | None:
    named = sorted({e.party for e in entry.entries if e.party != party})
    if not named:
        return "a list that names nobody"
    reasons = (_why(view.agreements(party, name), today, f"the agreement with {name}") for name in named)
    return next((reason for reason in reasons if reason is not None), None)


def _why(versions: Sequence[Agreement], today: date, what: str) -> str | None:
    in_force: list[Agreement] = current(versions, today)
    if not in_force:
        return f"{what}: none is in force"
    return None if all(agreement.self_service for agreement in in_force) else f"{what} leaves it to the operator"


def _refused(code: str, pointer: str, message: str) -> InputError:
    return InputError([Problem(code, pointer, message)])
