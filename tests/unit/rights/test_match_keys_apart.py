"""Match keys of two parties never coincide: neither for the same person nor for two, so that files cannot be joined by them."""

from rights_world import PERSONS

from services.rights_handler.persons import Person

PARTIES = [f"party-{number}" for number in range(40)]


def test_no_key_is_seen_twice_over_parties_and_persons():
    seen = {}
    for number in range(25):
        person = Person((("email", f"personne.{number}@courriel.example"), ("phone", f"+3319900{number:04d}")))
        for party in PARTIES:
            for key in PERSONS.match_keys(party, person):
                assert seen.setdefault(key["key"], (party, number, key["type"])) == (party, number, key["type"])
    assert len(seen) == 25 * 2 * len(PARTIES)


def test_a_key_says_nothing_of_the_contact_key_that_we_keep():
    person = Person((("email", "jeanne@courriel.example"),))
    kept = PERSONS.contact_key("email", "jeanne@courriel.example")
    for party in PARTIES:
        (key,) = PERSONS.match_keys(party, person)
        assert key["key"].split(".", 1)[1] != kept.split(".", 1)[-1]
