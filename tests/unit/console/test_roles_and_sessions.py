"""Who may do what, and what binds a form to a session: pure, table-driven."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console import pages
from services.console.passwords import Passwords, refuse_weak
from services.console.roles import TABLE, Ability, Role, allows
from services.console.sessions import Session, csrf_of, is_csrf_of, name_of, new_token
from services.console.settings import ConsoleSettings
from shared.errors import InputError

OF_PERSONS = {Ability.PERSON, Ability.PROOF, Ability.LETTERS}


def test_the_table_says_what_the_documentation_says():
    assert {role: sorted(abilities) for role, abilities in TABLE.items()} == {
        Role.VIEWER: ["see"],
        Role.OPERATOR: ["act", "audit", "letters", "person", "proof", "see"],
        Role.DPO: ["audit", "decide", "person", "proof", "see"],
    }


def test_every_role_is_in_the_table_and_a_viewer_sees_no_person():
    assert set(TABLE) == set(Role)
    assert not any(allows(Role.VIEWER, ability) for ability in Ability if ability is not Ability.SEE)


@pytest.mark.parametrize("page", pages.found(), ids=lambda page: page.name)
def test_every_route_names_an_ability_and_every_change_needs_more_than_to_see(page):
    for route in page.routes:
        assert isinstance(route.ability, Ability)
        assert route.method in ("GET", "POST")
        if route.method == "POST":
            assert route.ability is not Ability.SEE, route.path
    assert page.rank is None or f"page.{page.name}" in page.words


def test_pages_of_persons_need_an_ability_about_persons():
    needed = {route.path: route.ability for page in pages.found() for route in page.routes}
    for path in ("/search", "/records/{record:path}", "/stops/{stop:path}", "/proofs/{record:path}", "/dead"):
        assert needed[path] in OF_PERSONS, path
    assert needed["/audit"] is Ability.AUDIT


def test_a_form_is_bound_to_its_session_and_to_no_other():
    one, other = new_token(), new_token()
    assert is_csrf_of(one, csrf_of(one))
    assert not is_csrf_of(other, csrf_of(one))
    assert not is_csrf_of(one, "")
    assert not is_csrf_of("", csrf_of(""))
    assert not is_csrf_of(one, "é")
    assert csrf_of(one) != name_of(one)  # what the page carries opens nothing, and is not what the database holds


def test_a_session_shows_its_token_nowhere():
    session = Session(new_token(), "ac-1", datetime(2026, 11, 27, tzinfo=UTC) + timedelta(hours=1))
    assert session.token not in repr(session)
    assert session.csrf == csrf_of(session.token)


@pytest.mark.parametrize("bad", ["court", "a" * 12, "jeanne1234567", "x" * 300])
def test_weak_passwords_are_refused(bad):
    with pytest.raises(InputError):
        refuse_weak(bad, "jeanne")


async def test_passwords_are_argon2id_and_an_unknown_account_matches_nothing():
    passwords = Passwords()
    encoded = passwords.hashed("cheval agrafe correcte")
    assert encoded.startswith("$argon2id$")
    assert "cheval" not in encoded
    assert await passwords.matches(encoded, "cheval agrafe correcte")
    assert not await passwords.matches(encoded, "cheval agrafe incorrecte")
    assert not await passwords.matches(None, "nobody has this password")
    assert not await passwords.matches("not a hash", "cheval agrafe correcte")


def test_cookies_are_secure_unless_the_console_is_plain_http_and_services_may_have_instances():
    assert ConsoleSettings().secure_cookies
    assert ConsoleSettings(console_url="https://console.example").secure_cookies
    local = ConsoleSettings(
        console_url="http://127.0.0.1:8009", collector_url="http://a:1/, http://b:2", eraser_url="http://e"
    )
    assert not local.secure_cookies
    assert local.instances() == {"collector": ("http://a:1", "http://b:2"), "eraser": ("http://e",)}
