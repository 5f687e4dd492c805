"""A whole system and a witness process: signing goes on while the witness is away, and proofs are witnessed once it is there."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from typer.testing import CliRunner

from services.cli import main
from services.proof_archive.verifier import verify_opposable
from services.proof_archive.verifying.verify import verify_bundle
from services.witness.key_file import write_key
from services.witness.ledger import Ledger
from tests.e2e.partner import Partner, consent
from tests.waiting import operator_headers

pytestmark = pytest.mark.engines


class WitnessProcess:
    """`opposable witness serve` on a port chosen before."""

    def __init__(self, folder):
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.vkey = write_key(folder / "witness.key", "auditor.test/witness").verifier.vkey()
        self.setting = f"{self.vkey} http://127.0.0.1:{self.port}"
        self.process = None

    def start(self, log_vkey):
        words = [
            sys.executable, "-m", "services.cli.main", "witness", "serve", "--key", str(self.folder / "witness.key"), "--log", log_vkey,
            "--state", str(self.folder / "witness.db"), "--listen", f"127.0.0.1:{self.port}",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            words, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline().strip() == self.vkey

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process.stdout.close()
            self.process = None


@pytest.fixture(scope="module")
def witness(tmp_path_factory):
    one = WitnessProcess(tmp_path_factory.mktemp("witness"))
    yield one
    one.stop()


@pytest.fixture(scope="module")
def trust(witness):
    """The trust file that the archive, and whoever verifies, goes by: no quorum at first."""
    return witness.folder / "trust"


@pytest.fixture(scope="module")
def deployed(make_system, witness, trust):
    environment = {
        "OPPOSABLE_SIGNER_WITNESSES": witness.setting,
        "OPPOSABLE_POLICY_FILE": str(trust),
        "OPPOSABLE_PROOF_DUE_S": "20",  # how long a proof waits for a witness: a busy machine is not a witness that is away
    }
    running = make_system(environment=environment)
    trust.write_bytes((running.plan.data_dir / "policy").read_bytes())
    return running


async def archived(at, email):
    """A new consent, and its name."""
    data = consent(email)
    await Partner(at).send("in.acme.consents", "opposable.consent.collected.v1", data)
    return f"acme/{data['consent_id']}"


def proof_of(at, record, until=lambda _bundle: True, within=40.0):
    """The bundle of a record, asked for until it satisfies; how long that took."""
    begin = time.monotonic()
    while True:
        answer = httpx.get(
            f"{at.url('proof_archive')}/v1/proofs/{record}.zip",
            headers=operator_headers(at),
            trust_env=False,
        )
        if answer.status_code == 200 and until(answer.content):
            return answer.content, time.monotonic() - begin
        assert answer.status_code in {200, 202, 404}, answer.text
        assert time.monotonic() - begin < within, answer.text[:500]
        time.sleep(0.1)


def with_quorum(trust, witness):
    text = trust.read_text().replace("quorum none\n", "")
    return text + f"witness auditor {witness.vkey}\nquorum auditor\n"


def obligations(at):
    from pymongo import MongoClient  # noqa: PLC0415 - one look at the database

    with MongoClient(at.mongodb) as client:
        return [row["_id"] for row in client.archive.obligations.find()]


async def test_from_no_witness_to_witnessed(deployed, witness, trust):
    at = deployed.endpoints()
    # The witness is away: signing does not wait for it, and proofs say that they are not independent.
    record = await archived(at, "jeanne.temoin@courriel.example")
    bundle, _ = proof_of(at, record)
    contents = verify_bundle(bundle, trust.read_text()).contents
    assert contents is not None
    assert (contents.independent, contents.witnessed.known) == (False, 0)
    quorum = with_quorum(trust, witness)
    assert verify_bundle(bundle, quorum).problems[0].code == "CHECKPOINT-REFUSED"
    wait_for(lambda: "witness:auditor.test/witness" in obligations(at))

    # It is started: what was signed meanwhile is cosigned, without anything new in the logs.
    log_vkey = next(
        line.split()[1] for line in trust.read_text().splitlines() if line.startswith("log ") and "/bundle+" not in line
    )
    witness.start(log_vkey)
    trust.write_text(quorum)
    bundle, _ = proof_of(at, record, lambda data: verify_bundle(data, quorum).valid, within=70)
    contents = verify_bundle(bundle, quorum).contents
    assert (contents.independent, contents.witnessed.seen_by, contents.witnessed.known) == (True, 1, 1)
    assert {name for log in contents.logs if log.proven for name in log.witnesses} == {"auditor"}
    wait_for(lambda: "witness:auditor.test/witness" not in obligations(at))

    # From now on every proof given out is witnessed at once, or promised.
    for number in range(5):
        record = await archived(at, f"jeanne.temoin{number}@courriel.example")
        bundle, seconds = proof_of(at, record)
        answer = verify_opposable.verify_bundle(bundle, quorum)
        assert answer["valid"], answer
        assert answer["contents"]["witnessed"] == {"seen_by": 1, "known": 1}
        assert seconds < 10
    (trust.parent / "proof.zip").write_bytes(bundle)
    words = ["--lang", "fr", "verify", str(trust.parent / "proof.zip"), "--policy", str(trust)]
    said = CliRunner().invoke(main.build(words), words).output
    assert "1 sur 1" in said
    assert "indépendante" not in said


async def test_a_witness_that_dies_stops_nothing(deployed, witness, trust):
    at = deployed.endpoints()
    witness.stop()
    record = await archived(at, "paul.temoin@courriel.example")
    bundle, seconds = proof_of(at, record, within=60)  # promised while it may still come, then given as it is
    assert 10 < seconds < 50
    without = trust.read_text().replace("quorum auditor", "quorum none")
    contents = verify_bundle(bundle, without).contents
    assert contents is not None
    assert contents.witnessed.seen_by == 0


def test_what_the_witness_saw_is_the_signers_history(deployed, witness):
    """The witness holds heads of the logs, and never met a contradiction."""
    deployed.endpoints()
    ledger = Ledger(witness.folder / "witness.db", witness.vkey)
    heads = dict(ledger._db.execute("SELECT origin, size FROM logs"))
    assert {origin.split("/")[1] for origin in heads} >= {"consents", "verdicts"}
    assert ledger.evidence() == []
    ledger.close()
    for origin, size in heads.items():
        answer = httpx.get(
            f"{deployed.endpoints().url('proof_archive')}/log/{origin}/checkpoint",
            headers=operator_headers(deployed.endpoints()),
            trust_env=False,
        )
        assert int(answer.text.split("\n")[1]) >= size


def wait_for(condition, within=40.0):
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)
