from services.cli.registry_apply import changed_fields
from services.cli.topics import Difference, differences
from services.cli.topics_found import Found
from shared.topics import CONSENTS, DEAD, REGISTRY, settings_of

WANTED = [(CONSENTS.name, CONSENTS, 3), (REGISTRY.name, REGISTRY, 1), (DEAD.name, DEAD, 3)]


def as_the_table_says():
    return {name: Found(partitions, settings_of(row)) for name, row, partitions in WANTED}


def test_a_cluster_as_the_table_says_shows_nothing():
    assert differences(WANTED, as_the_table_says() | {"__consumer_offsets": Found(50, {})}) == []


def test_each_kind_of_difference_is_named():
    found = as_the_table_says()
    del found["registry"]
    found["consents"] = Found(2, settings_of(CONSENTS))
    found["dead"] = Found(3, settings_of(DEAD) | {"retention.ms": "1"})
    found["left-over"] = Found(1, {})
    assert differences(WANTED, found) == [
        Difference("consents", "partitions", "partitions", "3", "2"),
        Difference("dead", "setting", "retention.ms", "604800000", "1"),
        Difference("left-over", "stray", "topic", "-", "1 partitions"),
        Difference("registry", "missing", "topic", "1 partitions", "-"),
    ]


def test_a_setting_the_cluster_does_not_tell_is_a_difference():
    found = as_the_table_says() | {"dead": Found(3, {})}
    assert {one.what for one in differences(WANTED, found)} == set(settings_of(DEAD))


def test_changed_fields_are_named_by_pointer():
    before = {"a": 1, "b": [{"c": 1}, 2], "gone": None, "n": [1]}
    after = {"a": 1, "b": [{"c": 2}, 2], "new": None, "n": [1, 2]}
    assert changed_fields(before, after) == ["/b/0/c", "/gone", "/n", "/new"]
    assert changed_fields(before, before) == []
    assert changed_fields(1, 2) == ["/"]
