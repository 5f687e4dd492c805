from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cli.party_fold import PartyFold
from services.cli.party_simulator import acknowledgement
from shared.contracts.envelope import from_headers
from shared.contracts.partner_rights import ORDER_ACKNOWLEDGED, OrderAcknowledged
from shared.contracts.platform import PERMISSION_ENDED, PERMISSION_GRANTED, PERMISSION_REFUSED
from shared.instants import format_instant

T0 = datetime(2026, 9, 1, tzinfo=UTC)
RECORD = "acme/00000000-0000-4000-8000-00000000000"


def at(hours):
    return format_instant(T0 + timedelta(hours=hours))


def permission(number=1, *, hours=0, channel="email", contact="m1.a", kind=PERMISSION_GRANTED, until=1000):
    data = {
        "record": f"{RECORD}{number}", "consent_id": f"{RECORD}{number}".partition("/")[2], "channel": channel,
        "purpose": "prospecting", "sector": "general", "collected_at": at(hours),
        "match_keys": [{"type": "email", "key": contact}],
    }  # fmt: skip
    return kind, data | ({"valid_until": at(until)} if kind == PERMISSION_GRANTED else {"reasons": ["X"]})


def order(number=1, *, hours=5, channels="all", consents=(), contacts=(), reminder=0):
    return {
        "order_id": f"o{number}", "stop_id": "s", "consent_ids": list(consents), "channels": channels, "purposes": "all",
        "match_keys": [{"type": "email", "key": key} for key in contacts], "at": at(hours), "reminder": reminder,
    }  # fmt: skip


def folded(permissions=(), orders=()):
    fold = PartyFold()
    for one in permissions:
        fold.permission(*one)
    for one in orders:
        fold.order(one)
    return fold


NOW = T0 + timedelta(hours=10)


def test_a_grant_may_be_used_until_its_end():
    fold = folded([permission(until=12)])
    assert [fold.allowed(T0 + timedelta(hours=h)) for h in (-1, 0, 11, 12)] == [0, 1, 1, 0]


def test_a_stop_covers_by_consent_or_by_contact_in_its_scope():
    grants = [permission(1), permission(1, channel="sms"), permission(2, contact="m1.b")]
    assert folded(grants, [order(consents=[grants[0][1]["consent_id"]])]).allowed(NOW) == 1
    assert folded(grants, [order(contacts=["m1.b"])]).allowed(NOW) == 2
    assert folded(grants, [order(contacts=["m1.a"], channels=["sms"])]).allowed(NOW) == 2
    assert folded(grants, [order(contacts=["m1.z"])]).allowed(NOW) == 3


def test_an_older_stop_leaves_a_later_consent_and_a_tie_goes_to_the_stop():
    later = [permission(hours=6)]
    assert folded(later, [order(hours=5, contacts=["m1.a"])]).allowed(NOW) == 1
    assert folded(later, [order(hours=6, contacts=["m1.a"])]).allowed(NOW) == 0


def test_the_last_word_on_a_line_counts_and_refusals_are_counted_once():
    fold = folded([permission(kind=PERMISSION_REFUSED), permission()])
    assert (fold.allowed(NOW), fold.refused) == (1, 0)
    fold.permission(*permission(kind=PERMISSION_ENDED))
    fold.permission(*permission(kind=PERMISSION_ENDED))
    assert (fold.allowed(NOW), fold.granted(NOW), fold.refused) == (0, 0, 1)


def test_a_reminder_is_no_second_order():
    fold = PartyFold()
    assert [fold.order(order(1)), fold.order(order(1, reminder=1)), fold.order(order(2))] == [True, False, True]
    assert fold.orders == 2


@given(st.data())
def test_the_order_between_the_two_topics_decides_nothing(data):
    """Each topic keeps its own order per record; how the two interleave, and what is read twice, must not matter."""
    permissions = data.draw(st.lists(st.builds(
        permission, st.integers(1, 3), hours=st.integers(0, 8), channel=st.sampled_from(["email", "sms"]),
        contact=st.sampled_from(["m1.a", "m1.b"]), kind=st.sampled_from([PERMISSION_GRANTED, PERMISSION_REFUSED]),
    ), max_size=6))  # fmt: skip
    orders = data.draw(st.lists(st.builds(
        order, st.integers(1, 1), hours=st.integers(0, 8), channels=st.sampled_from(["all", ["sms"]]),
        contacts=st.lists(st.sampled_from(["m1.a", "m1.b"]), max_size=2),
    ), max_size=4))  # fmt: skip
    orders = [one | {"order_id": f"o{number}"} for number, one in enumerate(orders)]
    expected = folded(permissions, orders).allowed(NOW)
    mixed = PartyFold()
    left, right = list(permissions), [*orders, *data.draw(st.permutations(orders))]
    while left or right:
        if left and (not right or data.draw(st.booleans())):
            mixed.permission(*left.pop(0))
        else:
            mixed.order(right.pop())
    assert mixed.allowed(NOW) == expected


def test_an_acknowledgement_is_what_the_contract_says_and_repeats_itself():
    told = {"order_id": "stop/acme/1:canalvert:" + RECORD + "1", "reminder": 2}
    headers, value = acknowledgement("canalvert", told, "applied", NOW)
    envelope, data = from_headers(headers, value)
    assert (envelope.source, envelope.type) == ("canalvert", ORDER_ACKNOWLEDGED)
    assert OrderAcknowledged.model_validate_json(data).order_id == told["order_id"]
    later, _ = acknowledgement("canalvert", told, "applied", NOW + timedelta(hours=1))
    assert from_headers(later, b"{}")[0].id == envelope.id
    _, refused = acknowledgement("canalvert", told, "unknown_person", NOW)
    assert OrderAcknowledged.model_validate_json(refused).applied_at is None
