"""The guide's fold says what ours says, in every order of the same events, and after its process began anew."""

import importlib.util
import itertools
from datetime import timedelta

from services.cli.party_fold import PartyFold, Question
from shared.contracts.platform import PERMISSION_ENDED, PERMISSION_GRANTED, PERMISSION_REFUSED, STOP_ORDERED
from shared.instants import format_instant, parse_instant
from tests.unit.partner_guide.languages import FOLDER

T0 = parse_instant("2026-09-14T08:00:00.000Z")
CONSENT = "0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"


def fold_class():
    spec = importlib.util.spec_from_file_location("guide_fold", FOLDER / "fold.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Fold


def at(hours):
    return format_instant(T0 + timedelta(hours=hours))


def line(kind, consent=CONSENT, collected=0, channel="email", key="m1.a"):
    body = {"record": f"acme/{consent}", "consent_id": consent, "channel": channel, "purpose": "prospecting", "sector": "general",
            "collected_at": at(collected), "match_keys": [{"type": "email", "key": key}]}  # fmt: skip
    return kind, body | ({"valid_until": at(1000)} if kind == PERMISSION_GRANTED else {})


def stop(order, hours, channels="all", consents=(CONSENT,), key=None):
    keys = [] if key is None else [{"type": "email", "key": key}]
    return STOP_ORDERED, {"order_id": order, "at": at(hours), "channels": channels, "purposes": "all",
                          "consent_ids": list(consents), "match_keys": keys}  # fmt: skip


OTHER = "0190f6c2-6f1e-7cc3-9a55-000000000002"
WORLDS = [
    [line(PERMISSION_GRANTED), stop("o1", 1)],
    [line(PERMISSION_GRANTED), stop("o1", 0)],
    [line(PERMISSION_GRANTED, collected=2), stop("o1", 1)],
    [line(PERMISSION_GRANTED), line(PERMISSION_GRANTED, channel="sms"), stop("o1", 1, ["sms"])],
    [line(PERMISSION_GRANTED), line(PERMISSION_GRANTED, OTHER, 3), stop("o1", 1, consents=(), key="m1.a")],
    [line(PERMISSION_GRANTED), stop("o2", 3), stop("o1", -1)],
    [line(PERMISSION_REFUSED), stop("o1", 1)],
    [line(PERMISSION_ENDED), line(PERMISSION_GRANTED, OTHER, key="m1.b")],
]


def ours(world, channel, consent, now):
    fold = PartyFold()
    for kind, data in world:
        if kind == STOP_ORDERED:
            fold.order(data)
        else:
            fold.permission(kind, data)
    return fold.may(Question(channel, "prospecting", consent), now)


def test_it_says_what_ours_says_whatever_the_order(tmp_path):
    guide, answers = fold_class(), set()
    for number, world in enumerate(WORLDS):
        for order in itertools.permutations(world):
            fold = guide(tmp_path / f"{number}.json")
            for kind, data in order:
                fold.take(kind, data)
            fold.save()
            again = guide(tmp_path / f"{number}.json")
            for channel, consent, hours in itertools.product(("email", "sms"), (CONSENT, OTHER), (0, 4, 2000)):
                now = T0 + timedelta(hours=hours)
                wanted = ours(world, channel, consent, now)
                answers.add(wanted)
                for one in (fold, again):
                    assert one.may(channel, consent_id=consent, now=format_instant(now)) == wanted, (
                        order,
                        channel,
                        hours,
                    )
            (tmp_path / f"{number}.json").unlink()
    assert answers == {True, False}
