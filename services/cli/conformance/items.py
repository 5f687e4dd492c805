"""Every item of the kit, in the order of the report. Each says in a few lines what a partner's system must do."""

from __future__ import annotations

import secrets

from services.cli.conformance.kit import Kit, Person
from services.cli.conformance.model import Event, Failed, Item, NotCheckedError, Signing
from shared.contracts.platform import PERMISSION_ENDED, PERMISSION_REFUSED

BAD_REQUEST, SERVER_ERROR = 400, 500


async def _taken_only_signed(kit: Kit, fault: str) -> None:
    """A wrongly signed grant is refused, and gives no right."""
    if not kit.transport.signs:
        raise NotCheckedError("no-signatures")
    person = Person()
    good = await kit.grant(Person())
    data = {**good.data, "record": f"kit/{person.consent}", "consent_id": person.consent,
            "match_keys": [{"type": "email", "key": person.contact}]}  # fmt: skip
    event = Event(secrets.token_hex(20), good.type, good.feed, data)
    status = await kit.tell(event, Signing(fault))  # type: ignore[arg-type]
    if status is not None and not BAD_REQUEST <= status < SERVER_ERROR:
        raise Failed("unsigned-taken")
    try:
        await kit.expect(person, allowed=False, why="unsigned-counted")
    except NotCheckedError:
        return  # its refusal was seen


async def signature_wrong(kit: Kit) -> None:
    """Another secret."""
    await _taken_only_signed(kit, "wrong")


async def signature_missing(kit: Kit) -> None:
    """No signature at all."""
    await _taken_only_signed(kit, "missing")


async def signature_old(kit: Kit) -> None:
    """A signature that was good an hour ago."""
    await _taken_only_signed(kit, "old")


async def signature_body(kit: Kit) -> None:
    """A signature of other bytes."""
    await _taken_only_signed(kit, "body")


async def signature_rotation(kit: Kit) -> None:
    """Two signatures, the second of which is good."""
    if not kit.transport.signs:
        raise NotCheckedError("no-signatures")
    status = await kit.tell(kit.stop(Person(), at=-5), Signing("rotation"))
    if status is None or status >= BAD_REQUEST:
        raise Failed("rotation-refused")


async def grant_used(kit: Kit) -> None:
    """A permission is used."""
    person = Person()
    await kit.grant(person)
    await kit.expect(person, allowed=True, why="grant-unused")


async def unknown_not_used(kit: Kit) -> None:
    """A person nobody told of is not contacted."""
    await kit.expect(Person(), allowed=False, why="unknown-used")


async def refused_not_used(kit: Kit) -> None:
    """A refused line is no permission."""
    person = Person()
    await kit.grant(person, kind=PERMISSION_REFUSED, reasons=["LIST-NOT-NAMED"])
    await kit.expect(person, allowed=False, why="refused-used")


async def ended_not_used(kit: Kit) -> None:
    """A permission ends when it is said to."""
    person = Person()
    await kit.grant(person)
    await kit.grant(person, kind=PERMISSION_ENDED, reasons=["EXPIRED"])
    await kit.expect(person, allowed=False, why="ended-used")


async def expired_not_used(kit: Kit) -> None:
    """A permission ends by itself."""
    person = Person()
    await kit.grant(person, collected=-60, until=-1)
    await kit.expect(person, allowed=False, why="expired-used")


async def acknowledged(kit: Kit) -> None:
    """An order about a known person is answered `applied`, in time."""
    person = Person()
    await kit.grant(person)
    await kit.known(person)
    order = kit.stop(person, at=-5)
    await kit.tell(order)
    if (await kit.answered(order))[-1] != "applied":
        raise Failed("known-not-applied")


async def unknown_acknowledged(kit: Kit) -> None:
    """An order about a stranger is answered, and not refused."""
    order = kit.stop(Person(), at=-5)
    await kit.tell(order)
    if (await kit.answered(order))[-1] == "refused":
        raise Failed("unknown-refused")


async def applied_is_true(kit: Kit) -> None:
    """What it says is applied is applied."""
    person = Person()
    await kit.grant(person)
    await kit.known(person)
    order = kit.stop(person, at=-5)
    await kit.tell(order)
    await kit.answered(order)
    await kit.expect(person, allowed=False, why="applied-untrue")


async def stop_before_permission(kit: Kit) -> None:
    """A stop about nobody it knows is kept: the permission may come later, by its other topic."""
    person = Person()
    await kit.tell(kit.stop(person, at=-5))
    await kit.grant(person, collected=-60)
    await kit.expect(person, allowed=False, why="stop-forgotten")


async def newer_consent(kit: Kit) -> None:
    """A consent collected after the stop may be used."""
    person = Person()
    await kit.tell(kit.stop(person, at=-30))
    await kit.grant(person, collected=-10)
    await kit.expect(person, allowed=True, why="newer-unused")


async def tie(kit: Kit) -> None:
    """At the same instant the stop wins."""
    person = Person()
    await kit.grant(person, collected=-20)
    await kit.tell(kit.stop(person, at=-20))
    await kit.expect(person, allowed=False, why="tie-used")


async def older_stop_later(kit: Kit) -> None:
    """Two stops, the older one told last: the newer one still counts."""
    person = Person()
    await kit.grant(person, collected=-30)
    await kit.tell(kit.stop(person, at=-10))
    await kit.tell(kit.stop(person, at=-60))
    await kit.expect(person, allowed=False, why="newer-stop-lost")


async def same_person_other_consent(kit: Kit) -> None:
    """A stop by match key reaches the person's other consents."""
    person = Person()
    other = person.again()
    await kit.grant(other, collected=-30)
    await kit.tell(kit.stop(person, at=-10))
    await kit.expect(other, allowed=False, why="match-key-ignored")


async def scope(kit: Kit) -> None:
    """A stop of one channel leaves the others, and only those."""
    person = Person()
    await kit.grant(person)
    await kit.tell(kit.stop(person, at=-5, channels=["sms"]))
    await kit.expect(person, allowed=True, why="scope-too-wide")
    await kit.tell(kit.stop(person, at=-5, channels=["email", "sms"]))
    await kit.expect(person, allowed=False, why="scope-ignored")


async def repeated_grant(kit: Kit) -> None:
    """The same event told again, after the permission ended, changes nothing."""
    person = Person()
    event = await kit.grant(person)
    await kit.grant(person, kind=PERMISSION_ENDED, reasons=["EXPIRED"])
    await kit.tell(event)
    await kit.expect(person, allowed=False, why="repetition-counted")


async def repeated_order(kit: Kit) -> None:
    """An order told twice is answered alike, and counts once."""
    person = Person()
    await kit.grant(person)
    await kit.known(person)
    order = kit.stop(person, at=-5)
    await kit.tell(order)
    first = list(await kit.answered(order))
    await kit.tell(order)
    if len(set(await kit.answered(order)) | set(first)) > 1:
        raise Failed("answers-differ")


async def unknown_type(kit: Kit) -> None:
    """An event of a type yet to come is taken and ignored, not sent back for ever."""
    person = Person()
    event = Event(
        secrets.token_hex(20), "opposable.something.new.v1", "permissions", {"record": f"kit/{person.consent}"}
    )
    try:
        await kit.tell(event)
    except Failed:
        raise Failed("unknown-type-refused") from None
    await kit.grant(person)
    await kit.expect(person, allowed=True, why="unknown-type-blocks")


async def only_orders(kit: Kit) -> None:
    """Last: nothing was acknowledged that was never ordered."""
    if set(await kit.transport.acknowledgements()) - kit.ordered:
        raise Failed("invented-acknowledgement")


ITEMS: tuple[Item, ...] = (
    Item("SIGN-WRONG", signature_wrong),
    Item("SIGN-MISSING", signature_missing),
    Item("SIGN-OLD", signature_old),
    Item("SIGN-BODY", signature_body),
    Item("SIGN-ROTATION", signature_rotation),
    Item("GRANT-USED", grant_used),
    Item("UNKNOWN-PERSON", unknown_not_used),
    Item("REFUSED", refused_not_used),
    Item("ENDED", ended_not_used),
    Item("EXPIRED", expired_not_used),
    Item("ACK-IN-TIME", acknowledged),
    Item("ACK-UNKNOWN", unknown_acknowledged),
    Item("ACK-TRUE", applied_is_true),
    Item("STOP-FIRST", stop_before_permission),
    Item("NEWER-CONSENT", newer_consent),
    Item("TIE", tie),
    Item("OLDER-STOP-LATER", older_stop_later),
    Item("MATCH-KEY", same_person_other_consent),
    Item("SCOPE", scope),
    Item("REPEATED-EVENT", repeated_grant),
    Item("REPEATED-ORDER", repeated_order),
    Item("UNKNOWN-TYPE", unknown_type),
    Item("ACK-ONLY-ORDERS", only_orders),
)
