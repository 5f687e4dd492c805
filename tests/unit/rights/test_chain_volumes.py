"""Volumes along the chain: each record once, whatever is redone; delays by nearest rank."""

from __future__ import annotations

from services.rights_handler.chain.volumes import NO_LIST, Place, added, percentile

AT, LATER = "2026-10-01T10:00:00.000Z", "2026-10-02T10:00:00.000Z"


def line(recipient, verdict="valid"):
    return {"recipient": recipient, "verdict": verdict}


def facts(*lines, cited="list:partners:3", evaluated=AT):
    references = [{"key": "form:jeu:1"}, {"key": cited}] if cited else []
    return {"collector": "acme", "received_at": AT, "evaluated_at": evaluated, "references": references, "lines": lines}


def test_one_consent_counts_once_a_recipient_and_each_of_its_lines() -> None:
    found = added([(0, 7, facts(line("hibou"), line("hibou", "review"), line("canalvert", "invalid"), line(None)))])
    assert found[Place(0, "acme", "partners:3", "hibou")].beyond(-1) == {"consents": 1, "valid": 1, "review": 1}
    assert found[Place(0, "acme", "partners:3", "canalvert")].beyond(-1) == {"consents": 1, "invalid": 1}
    assert len(found) == 2


def test_a_batch_that_is_redone_with_more_counts_only_the_more() -> None:
    one = added([(0, 7, facts(line("hibou"))), (0, 8, facts(line("hibou"))), (0, 9, facts(line("hibou")))])
    (edge,) = one.values()
    assert edge.beyond(8) == {"consents": 1, "valid": 1}
    assert not edge.beyond(9)


def test_what_is_assessed_again_was_counted() -> None:
    assert not added([(0, 7, facts(line("hibou"), evaluated=LATER))])


def test_partitions_are_apart_and_a_consent_may_cite_no_list() -> None:
    found = added([(0, 7, facts(line("hibou"), cited=None)), (1, 7, facts(line("hibou"), cited=None))])
    assert {place.partition for place in found} == {0, 1}
    assert {place.list for place in found} == {NO_LIST}


def test_percentiles_by_nearest_rank() -> None:
    assert percentile([], 0.5) is None
    assert percentile([5.0], 0.99) == 5.0
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99)) == (50.0, 99.0)
