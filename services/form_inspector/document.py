"""Writes what was seen as the registry's form document (contracts.md), with `unknown` and a question where it cannot tell.

A document without questions loads as it is; one that still has some is refused by `registry check`, as it should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.form_inspector.boxes import Box
from services.form_inspector.conditions import plain_incentive
from services.form_inspector.evidence import Evidence, notice_of
from services.form_inspector.measures import Measure
from services.form_inspector.questions import UNKNOWN, Question, ask
from shared.registry.shown import Notice

_LABEL_LENGTH = 500
"""Longest label of the registry."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the operator knows of the form."""

    id: str
    version: int
    collector: str | None = None
    notices: Sequence[Notice] = ()


def write(evidence: Evidence, identity: Identity) -> tuple[dict[str, Any], list[Question]]:
    """The document and what is left to ask, in the document's order."""
    return _Writer(evidence).write(identity)


class _Writer:
    """Collects the questions while it fills the document."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.questions: list[Question] = []

    def write(self, identity: Identity) -> tuple[dict[str, Any], list[Question]]:
        evidence, page = self.evidence, self.evidence.page
        document = {
            "kind": "form", "id": identity.id, "version": identity.version,
            "collector": identity.collector or self._unknown("collector"),
            "published_at": self._unknown("published_at"),
            "html_sha256": page.html_sha256, "screenshot_sha256": page.screenshot_sha256, "medium": "web",
            "notice": self._notice(identity.notices),
            "list_shown": self._list_shown(),
            "withdrawal_told": self._withdrawal_told(),
            "steps": self._steps(),
            "service_conditional": evidence.service.value if evidence.service else self._unknown("service_conditional"),
            "incentive": self._incentive(),
            "targets_minors": evidence.minors.value if evidence.minors else self._unknown("targets_minors"),
            "refusal": self._refusal(),
            "acceptance": self._acceptance(),
            "boxes": self._boxes(),
            "phone_statements": list(evidence.calls_told) if evidence.calls_asked else [],
            "post_information": evidence.post,
            "tracker": self._tracker(),
        }  # fmt: skip
        return document, self.questions

    def _unknown(self, field: str, kind: str | None = None, seen: str = "") -> str:
        self.questions.append(ask(field, kind, seen))
        return UNKNOWN

    def _notice(self, notices: Sequence[Notice]) -> dict[str, str] | str | None:
        link = self.evidence.notice_link
        found = notice_of(self.evidence, notices)
        if found:
            return {"id": found.id, "version": found.version}
        if link:
            return self._unknown("notice", seen=f"{link[0]} ({link[1]})")
        if self.evidence.items_on_page:
            return self._unknown("notice", seen=", ".join(self.evidence.items_on_page))
        return self._unknown("notice", "notice/unread") if self.evidence.unread else None

    def _list_shown(self) -> str:
        shown = self.evidence.recipients.shown
        if shown == "absent" and self.evidence.unread:
            return self._unknown("list_shown")
        return shown

    def _withdrawal_told(self) -> bool | str:
        told, evidence = self.evidence.withdrawal, self.evidence
        if any(line.depth == 0 for line in told):
            return True
        if evidence.denied and not told:
            return False
        limited = evidence.calls_told.get("withdrawal", [])
        if told or limited or evidence.unread or evidence.illegible_withdrawal:
            seen = next((line.text for line in (*told, *limited, *evidence.illegible_withdrawal)), "")
            return self._unknown("withdrawal_told", seen=seen)
        return False

    def _steps(self) -> dict[str, Any]:
        counted = self.evidence.withdrawal_steps
        seen = self.evidence.withdrawal[0].text if self.evidence.withdrawal else ""
        grant = self.evidence.grant_steps
        return {
            "grant": grant if grant is not None else self._unknown("steps/grant"),
            "withdraw": counted.value if counted else self._unknown("steps/withdraw", seen=seen),
        }

    def _incentive(self) -> str | None:
        lines = self.evidence.incentive
        plain = next((line for line in lines if plain_incentive(line)), None)
        if plain:
            return plain.text[:300]
        return self._unknown("incentive", seen=lines[0].text) if lines else None

    def _refusal(self) -> dict[str, Any]:
        refusal, choices = self.evidence.choices.refusal, self.evidence.choices
        if refusal is None:
            if choices.unclear:
                seen = choices.acceptance.label if choices.acceptance else ""
                return {
                    "present": self._unknown(
                        "refusal/present", f"refusal/{choices.unclear.removeprefix('refusal_')}", seen
                    )
                }
            return {"present": self._unknown("refusal/present") if self.evidence.unread else False}
        present: bool | str = True
        if self.evidence.refusal_gone_on_phone:
            present = self._unknown("refusal/present", "refusal/phone", refusal.label)
        return {"present": present, **self._measured("refusal", refusal), "position": refusal.position}

    def _acceptance(self) -> dict[str, Any] | str:
        acceptance = self.evidence.choices.acceptance
        return self._unknown("acceptance") if acceptance is None else self._measured("acceptance", acceptance)

    def _measured(self, field: str, measure: Measure) -> dict[str, Any]:
        shown: dict[str, Any] = {"label": measure.label[:_LABEL_LENGTH]}
        for name in ("width_px", "height_px", "font_px"):
            value = getattr(measure, name)
            shown[name] = (
                self._unknown(f"{field}/{name}", "restyled", measure.label) if self.evidence.restyled else value
            )
        if self.evidence.restyled or measure.contrast is None:
            kind = "restyled" if self.evidence.restyled else "contrast"
            shown["contrast"] = self._unknown(f"{field}/contrast", kind, measure.label)
        else:
            shown["contrast"] = float(measure.contrast)
        return shown

    def _boxes(self) -> list[dict[str, Any]] | str:
        asked = self.evidence.asked
        if not asked and self.evidence.unread and self.evidence.choices.acceptance is None:
            return self._unknown("boxes")
        return [self._box(number, box) for number, box in enumerate(asked)]

    def _box(self, number: int, box: Box) -> dict[str, Any]:
        place = f"boxes/{number}"
        return {
            "id": box.id,
            "channels": list(box.channels) if box.channels else self._unknown(f"{place}/channels", "boxes/channels", box.label),
            "purposes": list(box.purposes) if box.purposes else self._unknown(f"{place}/purposes", "boxes/purposes", box.label),
            "default": box.default or self._unknown(f"{place}/default", "boxes/default", box.label),
            "with_terms": box.with_terms,
        }  # fmt: skip

    def _tracker(self) -> dict[str, Any] | None:
        if not self.evidence.choices.banner:
            return None
        accept, refuse = self.evidence.grant_steps, self.evidence.refuse_steps
        return {
            "steps_accept": accept if accept is not None else self._unknown("tracker/steps_accept"),
            "steps_refuse": refuse if refuse is not None else self._unknown("tracker/steps_refuse"),
        }
