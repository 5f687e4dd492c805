"""From zero to the first consent and the first withdrawal acknowledged, in each language, by the guide's own files."""

import subprocess
import threading
import uuid

import pytest

from tests.unit.partner_guide.languages import FOLDER, java, php, python
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(480)]
TEMPLATE = str(FOLDER / "consent.json")
WAYS = {
    "python": lambda *words: python("kafka_partner.py", *words),
    "java": java,
    "php": lambda *words: php(str(FOLDER / "partner.php"), *words),
}


def call(command, environment, text=None):
    done = subprocess.run(
        command, env=environment, input=text, capture_output=True, text=True, check=False, timeout=180, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


class Follower:
    """A running `follow`; ended with the block, killed when it takes too long."""

    def __init__(self, command, environment, seconds=240):
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self._timer = threading.Timer(seconds, self._process.kill)
        self._timer.start()
        self.lines = []

    def until(self, word):
        """The line that names it."""
        for line in self._process.stdout:
            self.lines.append(line.strip())
            if word in line:
                return self.lines[-1]
        raise AssertionError(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


async def acknowledged(http, stop, party="canalvert"):
    """The branch of a party, once it has answered."""

    async def ask():
        answer = await http.get(f"/v1/stops/acme/{stop}")
        branches = answer.json()["branches"] if answer.status_code == 200 else []
        return [branch["state"] for branch in branches if branch["party"] == party]

    await until(ask, lambda states: states == ["closed"])


@pytest.mark.parametrize("language", list(WAYS))
async def test_a_party_of_each_language_is_heard_and_obeys(language, onboarded, http):
    way, email = WAYS[language], f"{language}.{uuid.uuid4().hex[:8]}@courriel.example"
    status, consent, *_ = call(way("consent", TEMPLATE, email), onboarded["acme"]).split(" ", 2)
    assert status == "accepted"
    with Follower(way("follow", "1000"), onboarded["canalvert"]) as follower:
        told = follower.until(consent)
        assert told.startswith("may email") or "permission.granted" in told
        word, stop = call(way("withdraw", email), onboarded["acme"]).split()
        assert word == "withdrawn"
        assert follower.until(stop).startswith("applied ")
        await acknowledged(http, stop)


async def test_curl(onboarded, http):
    environment = onboarded["acme"] | {"ACME_KEY": onboarded["acme"]["OPPOSABLE_KEY"],
                                       "CANALVERT_KEY": onboarded["canalvert"]["OPPOSABLE_KEY"]}  # fmt: skip
    email = f"curl.{uuid.uuid4().hex[:8]}@courriel.example"
    lines = call([str(FOLDER / "curl.sh"), email], environment).splitlines()
    assert "opposable.permission.granted.v1" in str(lines)
    assert lines[-1].startswith("acknowledged ")
    stop = next(line for line in lines if line.startswith("w-"))
    await acknowledged(http, stop)


async def test_the_match_key_is_what_names_the_person(at, onboarded, tmp_path):
    """A prospecteur downloads its key once and finds the persons of its own file under the names it is told."""
    key = tmp_path / "match-key.json"
    headers = ["-H", f"Authorization: Bearer {onboarded['canalvert']['OPPOSABLE_KEY']}"]
    key.write_text(
        call(["curl", "-sS", "--fail-with-body", *headers, f"{at.url('rights_handler')}/v1/match-key"], None)
    )
    email = f"Cle.{uuid.uuid4().hex[:8]}@Courriel.example"
    call(python("kafka_partner.py", "consent", TEMPLATE, email), onboarded["acme"])
    name = call(python("contacts.py", str(key)), None, f"email\t\t {email.upper()} \n").split("\t")[0]

    async def told():
        headers = ["-H", f"Authorization: Bearer {onboarded['canalvert']['OPPOSABLE_KEY']}"]
        return call(["curl", "-sS", *headers, f"{at.url('collector')}/v1/feed/permissions?limit=500&wait=1"], None)

    await until(told, lambda page: name in page)
