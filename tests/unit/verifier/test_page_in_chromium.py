"""The page in a real Chromium, opened from a file as a lawyer would: choose, drop, read, in both languages, without network."""

import base64
import json
import re

import pytest
from bundle_world import POLICY, WITNESSED_POLICY, plain_world
from chromium_page import browser_page, find_chromium
from mutants import FAMILIES, mutant
from mutants_base import SEED, bundle_of
from stamped import EC_LINE, STAMPED_POLICY, stamped_bundle
from three import PAGE, by_command

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed: the page is tested by its script alone"
)
HOSTILE = '<img src=x onerror="document.title=1">\u202e'


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browser_page(CHROMIUM, tmp_path_factory.mktemp("chromium") / "profile") as page:
        yield page


@pytest.fixture
def page(browser):
    browser.open(PAGE.as_uri())
    browser.size(1200, 900)
    browser.requests.clear()
    browser.errors.clear()
    browser.run("document.querySelector('[data-lang=fr]').click()")
    yield browser
    assert browser.requests == {}
    assert browser.errors == []


@pytest.fixture
def files(tmp_path):
    hostile = plain_world(ruleset=HOSTILE)
    contents = {
        "proof.zip": bundle_of("stopped"), "erased.zip": bundle_of("erased"), "cut.zip": bundle_of("stopped")[:-9],
        "hostile.zip": hostile.bundle(), "own.zip": bundle_of("own"), "wide.zip": bundle_of("wide"),
        "stamped.zip": stamped_bundle(), "authorities": STAMPED_POLICY.encode(), "one": (POLICY + EC_LINE).encode(),
        "policy": POLICY.encode(), "witnesses": WITNESSED_POLICY.encode(), "unusable": b"log x\n", "latin": b"\xff",
    }  # fmt: skip
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def check(page, files, bundle="proof.zip", policy="policy"):
    """The page's answer to two files: its heading, its whole text."""
    page.choose("#bundle", files / bundle)
    page.choose("#policy", files / policy)
    page.until("document.getElementById('answer') !== null")
    return page.run("document.getElementById('answer').textContent"), page.run("document.body.innerText")


def test_a_proof_that_holds(page, files):
    heading, text = check(page, files)
    assert heading == "✔ La preuve est vérifiée"
    for said in (
        "Preuve non indépendante", "0 sur 0", "lead-88231", "due par acme", "arrêtée par la personne", "Retrait du consentement reçu",
        "Que le collecteur a dit vrai.", "arrêté par la personne, au moins en partie", "proof.zip",
    ):  # fmt: skip
        assert said in text
    assert "consentement valide" not in text
    assert page.run("document.activeElement.id") == "answer"  # what a screen reader reads next
    assert page.run("document.title") == "Vérifier un dossier de preuve"


def test_only_the_lines_that_are_disclosed_are_shown(page, files):
    heading, text = check(page, files, "own.zip")
    assert heading == "✔ La preuve est vérifiée"
    assert "2 autre(s) ligne(s), non dévoilée(s) dans ce dossier." in text
    assert "canalvert" in text
    assert "voltis" not in text
    assert "/lines/0" not in text  # a line is no personal datum: it stands in the table of lines
    page.run("document.querySelector('[data-lang=en]').click()")
    assert "2 more lines, not disclosed in this bundle." in page.run("document.body.innerText")


def test_timestamps_and_evidence(page, files):
    heading, text = check(page, files, "stamped.zip", "authorities")
    assert heading == "✔ La preuve est vérifiée"
    for said in (
        "Preuve horodatée", "15 sur 15 entrées horodatées", "2026-11-04 12:00:00.000 UTC", "horloge", "sablier", "copie de la page",
        "jointe", "conservée par la plateforme (48\u202f211 octets)", "due par acme", "attestation.pdf",
    ):  # fmt: skip
        assert said.replace("\u202f", " ") in text.replace("\u202f", " ").replace("\ufffd", " "), said
    assert "non indépendante" not in text
    check_again(page, files, "one")
    text = page.run("document.body.innerText")
    assert "Preuve non indépendante" in text
    assert "horodatage non vérifié : autorité inconnue du fichier de confiance" in text
    page.run("document.querySelector('[data-lang=en]').click()")
    text = page.run("document.body.innerText")
    assert "timestamp not verified: authority unknown to the trust file" in text
    assert "4 of 15 entries timestamped" in text
    assert "kept by the platform (48,211 bytes)" in text


def test_english_and_witnesses(page, files):
    check(page, files, policy="witnesses")
    page.run("document.querySelector('[data-lang=en]').click()")
    text = page.run("document.body.innerText")
    for said in (
        "The proof holds",
        "2 of 3",
        "Proof seen by witnesses",
        "w1, w2",
        "stopped by the person",
        "What is not proven",
    ):
        assert said in text
    assert "independent" not in text
    assert page.run("document.documentElement.lang") == "en"


def test_a_refusal_an_unusable_trust_file_an_erasure(page, files):
    heading, text = check(page, files, "cut.zip")
    assert heading == "✘ Le dossier est refusé"
    assert "ZIP-UNREADABLE" in text
    assert "Ce n'est pas un fichier ZIP lisible." in text
    for policy in ("unusable", "latin"):
        heading, text = check_again(page, files, policy)
        assert heading == "! Le fichier de confiance est inutilisable"
        assert "POLICY" in text
    page.choose("#bundle", files / "erased.zip")
    heading, text = check_again(page, files, "policy")
    assert heading == "✔ La preuve est vérifiée"
    assert "incluses, données personnelles effacées" in text


def check_again(page, files, policy):
    """The answer after another trust file."""
    page.choose("#policy", files / policy)
    page.until(
        f"document.getElementById('answer') !== null && document.getElementById('policy-name').textContent === '{policy}'"
    )
    return page.run("document.getElementById('answer').textContent"), page.run("document.body.innerText")


def test_what_a_bundle_says_is_never_markup(page, files):
    heading, text = check(page, files, "hostile.zip")
    assert heading == "✔ La preuve est vérifiée"
    assert HOSTILE.replace("\u202e", "\ufffd") in text
    assert page.run("document.querySelector('img') === null && document.title !== '1'")


def test_both_files_dropped_at_once(page, files):
    data = {"items": [], "files": [str(files / "policy"), str(files / "proof.zip")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.ask("Input.dispatchDragEvent", type=kind, x=300, y=500, data=data)
    page.until("document.getElementById('answer') !== null")
    assert page.run("document.getElementById('answer').textContent") == "✔ La preuve est vérifiée"
    assert page.run("document.getElementById('bundle-name').textContent") == "proof.zip"


def test_one_file_dropped_on_its_place(page, files):
    for name, which in (("proof.zip", "bundle"), ("witnesses", "policy")):
        place = page.run(f"JSON.stringify(document.getElementById('{which}-drop').getBoundingClientRect())")
        x, y = json.loads(place)["x"] + 40, json.loads(place)["y"] + 40
        data = {"items": [], "files": [str(files / name)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            page.ask("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)
        page.until(f"document.getElementById('{which}-name').textContent === '{name}'")
    page.until("document.getElementById('answer') !== null")


def test_the_keyboard_reaches_everything(page, files):
    check(page, files)
    page.run(
        "document.activeElement.blur(), window.getSelection().removeAllRanges(), document.querySelector('[data-lang=fr]').focus()"
    )
    reached = []
    for _ in range(6):
        reached.append(
            page.run(
                "document.activeElement.id || document.activeElement.dataset.lang || document.activeElement.tagName"
            )
        )
        page.press("Tab", 9)
    assert reached == ["fr", "en", "bundle", "policy", "SUMMARY", "BUTTON"]


def test_nothing_can_leave(browser):
    """The page's own policy refuses whatever a script of it would try."""
    browser.open(PAGE.as_uri())
    tries = "fetch('https://example.invalid/').then(() => 'left', () => 'refused')"
    assert browser.run(tries) == "refused"
    browser.run(
        "document.body.append(Object.assign(document.createElement('img'), {src: 'https://example.invalid/x.png'}))"
    )
    browser.run(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert browser.run("window.ran === undefined")
    assert re.search("Content Security Policy", " ".join(browser.errors))
    left = {number for number, url in browser.requests.items() if url.startswith("http")}
    for _ in range(100):  # what the browser has to say comes with its next answers
        browser.run("new Promise((done) => setTimeout(done, 20))")
        if left <= browser.blocked:
            break
    assert left
    assert left <= browser.blocked


def test_the_browser_agrees_on_mutants(page):
    """A few of each family, by the engine of the browser itself, with its own Ed25519."""
    cases = [mutant(f"{SEED}/{family}/{number}") for family in FAMILIES for number in range(1000, 1006)]
    page.run("window.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))")
    for case in cases:
        trust, bundle = (base64.b64encode(part).decode() for part in (case.trust, case.bundle))
        script = f"Opposable.verifyBundle(bytes('{bundle}'), bytes('{trust}')).catch((error) => ({{unusable: error.message}}))"
        expected, said = by_command(case.trust, case.bundle), page.run(script)
        assert ("unusable" in said) == ("unusable" in expected), case.name
        if "unusable" not in expected:
            assert said == expected, case.name
