"""The kit accepts a partner that does right, by webhook and by feed, and names what each wrong one does wrong."""

from datetime import UTC, datetime

import pytest
from fastapi import Response

from services.cli import party_webhook
from services.cli.conformance.items import ITEMS
from services.cli.conformance.titles import REASONS, TITLES
from services.cli.party_fold import PartyFold
from services.cli.party_system import PartySystem
from services.cli.party_webhook import Endpoint, make_app
from shared.contracts.platform import STOP_ORDERED
from tests.unit.relay.partner_world import SECRET, failed, feed_kit, outcomes, webhook_kit

SIGNATURES = {"SIGN-WRONG", "SIGN-MISSING", "SIGN-OLD", "SIGN-BODY", "SIGN-ROTATION"}


async def test_the_reference_partner_passes_every_item_by_webhook():
    async with webhook_kit(Endpoint(PartySystem(), [SECRET])) as kit:
        found = await outcomes(kit)
    assert list(found) == [item.code for item in ITEMS]
    assert {state for state, _ in found.values()} == {"passed"}, found


async def test_the_reference_partner_passes_by_feed_where_nothing_is_signed():
    async with feed_kit(PartySystem()) as kit:
        found = await outcomes(kit)
    assert {code for code, (state, _) in found.items() if state == "not_checked"} == SIGNATURES
    assert failed(found) == set(), found
    assert {found[code][0] for code in found.keys() - SIGNATURES} == {"passed"}


async def test_without_a_question_the_fold_is_not_looked_at_and_said_so():
    async with webhook_kit(Endpoint(PartySystem(), [SECRET]), ask=False) as kit:
        found = await outcomes(kit)
    assert failed(found) == set()
    assert found["STOP-FIRST"] == ("not_checked", "no-question")
    assert found["SIGN-WRONG"] == ("passed", None)
    assert found["ACK-IN-TIME"] == ("passed", None)


class Changed(PartyFold):
    """Overridden by the mutants below."""


class ForgetsUnknown(Changed):
    def order(self, data):
        return super().order(data) if self.knows(data) else True


class KeepsTheLast(Changed):
    def order(self, data):
        self._halts = {i: h for i, h in self._halts.items() if not h.contacts & {k["key"] for k in data["match_keys"]}}
        return super().order(data)


class IgnoresDates(Changed):
    def may(self, question, now):
        lines = [line for line in self._in_force(now) if question.about(line)]
        halts = [
            h
            for h in self._halts.values()
            for line in lines
            if line.consent in h.consents or line.contacts & h.contacts
        ]
        return bool(lines) and not [h for h in halts if h.channels is None or question.channel in h.channels]


class TieToTheConsent(Changed):
    def order(self, data):
        at = datetime.fromisoformat(data["at"])
        early = at.replace(microsecond=0) if at.microsecond else at
        shifted = early.timestamp() - 0.001
        return super().order({**data, "at": datetime.fromtimestamp(shifted, UTC).isoformat()})


class IgnoresScope(Changed):
    def order(self, data):
        return super().order({**data, "channels": "all"})


class IgnoresMatchKeys(Changed):
    def order(self, data):
        return super().order({**data, "match_keys": []})


class IgnoresEnds(Changed):
    def permission(self, event_type, data):
        if not event_type.endswith("ended.v1"):
            super().permission(event_type, data)


class IgnoresRefusals(Changed):
    def permission(self, event_type, data):
        if event_type.endswith("refused.v1"):
            data = {**data, "valid_until": "2099-01-01T00:00:00.000Z"}
            event_type = event_type.replace("refused", "granted")
        super().permission(event_type, data)


class NeverExpires(Changed):
    def permission(self, event_type, data):
        super().permission(event_type, {**data, "valid_until": "2099-01-01T00:00:00.000Z"})


class UsesNothing(Changed):
    def may(self, *_):
        return False


class UsesEverybody(Changed):
    def may(self, question, now):
        known = any(question.about(line) for line in self._lines.values())
        return super().may(question, now) or not known


FOLDS = [
    (ForgetsUnknown, {"STOP-FIRST"}),
    (KeepsTheLast, {"OLDER-STOP-LATER"}),
    (IgnoresDates, {"NEWER-CONSENT"}),
    (TieToTheConsent, {"TIE"}),
    (IgnoresScope, {"SCOPE"}),
    (IgnoresMatchKeys, {"MATCH-KEY"}),
    (IgnoresEnds, {"ENDED", "REPEATED-EVENT"}),
    (IgnoresRefusals, {"REFUSED"}),
    (NeverExpires, {"EXPIRED"}),
    (
        UsesNothing,
        {"GRANT-USED", "NEWER-CONSENT", "SCOPE", "ACK-IN-TIME", "ACK-TRUE", "REPEATED-ORDER", "UNKNOWN-TYPE"},
    ),
    (UsesEverybody, {"UNKNOWN-PERSON", "SIGN-WRONG", "SIGN-MISSING", "SIGN-OLD", "SIGN-BODY"}),
]


@pytest.mark.parametrize(("fold", "expected"), FOLDS, ids=lambda v: getattr(v, "__name__", None))
async def test_a_partner_that_folds_wrongly_fails_where_it_is_wrong(fold, expected):
    system = PartySystem()
    system.fold = fold()
    async with webhook_kit(Endpoint(system, [SECRET])) as kit:
        assert failed(await outcomes(kit)) == expected


class CountsRepetitions(PartySystem):
    def _repeated(self, *_):
        return False


class AnswersAnything(PartySystem):
    def _apply(self, data, now):
        one = super()._apply(data, now)
        self._status = "refused" if self._status != "refused" else "applied"
        return one


class Silent(PartySystem):
    def receive(self, event, kind, data, now):
        super().receive(event, kind, data, now)
        return []


class RefusesStrangers(PartySystem):
    def _apply(self, data, now):
        known = self.fold.knows(data)
        one = super()._apply(data, now)
        return one if known else self._acknowledgement(one.order, "refused", now)


class NeedsKnownTypes(PartySystem):
    def receive(self, event, kind, data, now):
        if not kind.startswith(("opposable.permission", "opposable.stop")):
            raise KeyError(kind)
        return super().receive(event, kind, data, now)


SYSTEMS = [
    (lambda: PartySystem(lying=True), {"ACK-TRUE", "ACK-ONLY-ORDERS", "STOP-FIRST", "TIE", "OLDER-STOP-LATER", "MATCH-KEY", "SCOPE"}),
    (lambda: PartySystem(status="unknown_person"), {"ACK-IN-TIME"}),
    (CountsRepetitions, {"REPEATED-EVENT"}),
    (Silent, {"ACK-IN-TIME", "ACK-UNKNOWN", "ACK-TRUE", "REPEATED-ORDER"}),
    (RefusesStrangers, {"ACK-UNKNOWN"}),
    (NeedsKnownTypes, {"UNKNOWN-TYPE"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "expected"), SYSTEMS, ids=["lying", "never applies", "counts twice", "silent", "refuses", "types"]
)
async def test_a_partner_that_acts_wrongly_fails_where_it_is_wrong(make, expected):
    async with webhook_kit(Endpoint(make(), [SECRET]), ack=0.2) as kit:
        assert failed(await outcomes(kit)) == expected


async def test_two_answers_to_one_order_are_seen():
    class Both(CountsRepetitions, AnswersAnything):
        pass

    async with webhook_kit(Endpoint(Both(), [SECRET]), ack=0.3) as kit:
        assert "REPEATED-ORDER" in failed(await outcomes(kit, {"REPEATED-ORDER"}))


VERIFIERS = {
    "none": ("none", {"SIGN-WRONG", "SIGN-MISSING", "SIGN-OLD", "SIGN-BODY"}),
    "no clock": ("clock", {"SIGN-OLD"}),
    "first signature only": ("first", {"SIGN-ROTATION"}),
}  # fmt: skip


@pytest.mark.parametrize("name", VERIFIERS)
async def test_a_partner_that_believes_too_much_or_too_little_is_seen(name, monkeypatch):
    how, expected = VERIFIERS[name]
    honest = party_webhook.verify

    def verify(headers, body, **more):
        if how == "clock":
            more["now"] = int(headers["webhook-timestamp"])
        if how == "first":
            headers = {**headers, "webhook-signature": headers.get("webhook-signature", "").split(" ")[0]}
        return headers.get("webhook-id", "m") if how == "none" else honest(headers, body, **more)

    monkeypatch.setattr(party_webhook, "verify", verify)
    async with webhook_kit(Endpoint(PartySystem(), [SECRET])) as kit:
        assert (
            failed(await outcomes(kit, {"SIGN-WRONG", "SIGN-MISSING", "SIGN-OLD", "SIGN-BODY", "SIGN-ROTATION"}))
            == expected
        )


async def test_refusing_and_counting_all_the_same_is_seen():
    """Answers 401, and uses the permission."""

    def app(endpoint, report):
        inner = make_app(Endpoint(endpoint.system, [SECRET]), report)

        @inner.middleware("http")
        async def count_anyway(request, call_next):
            import orjson  # noqa: PLC0415

            body = await request.body()
            answer = await call_next(request)
            if answer.status_code == 401:
                event = orjson.loads(body)
                if event["type"] != STOP_ORDERED:
                    endpoint.system.receive(event["id"], event["type"], event["data"], datetime.now(UTC))
                return Response(status_code=401)
            return answer

        return inner

    async with webhook_kit(Endpoint(PartySystem(), [SECRET]), app=app) as kit:
        found = await outcomes(kit, {"SIGN-WRONG"})
    assert found["SIGN-WRONG"] == ("failed", "unsigned-counted")


def test_every_item_and_reason_has_its_words_in_both_languages():
    assert [item.code for item in ITEMS] == list(TITLES)
    for english, french in [*TITLES.values(), *REASONS.values()]:
        assert english != french
        assert "'" not in french, french
