"""Opposition lists as they are found: encodings, separators, column names, dates; rejects, resuming, repetition, memory."""

import csv
import json
import tracemalloc
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from services.cli import main
from services.cli.stop_import import sending
from services.cli.stop_import.layout import layout_of
from services.cli.stop_import.rows import contact_of, date_of, row_of, scope_of
from services.cli.stop_import.sending import batches, lines_of
from services.rights_handler.suppressing.importing import rows_of, stop_of
from shared.errors import InputError, Unavailable
from tests.unit.rights.rights_world import PERSONS, START, FakeRegistry

FRENCH = "Coordonnée;Date d'opposition;Source;Canaux\nhélène@exemple.example;01/03/2024;Salon « été »;courriel, SMS\n"


@pytest.fixture
def listed(tmp_path):
    def write(text, encoding="utf-8", name="liste.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def read(path):
    layout = layout_of(path)
    return layout, [cells for _, cells in lines_of(path, layout, lambda _at: None)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_encodings_and_separators_are_found(listed, encoding, separator):
    text = FRENCH.replace("courriel, SMS", "courriel|SMS").replace(";", separator)
    layout, (cells,) = read(listed(text, encoding))
    assert layout.separator == separator
    assert layout.encoding == ("cp1252" if encoding == "cp1252" else "utf-8-sig")
    row = row_of(cells, layout)
    assert row == {
        "contacts": [{"type": "email", "value": "hélène@exemple.example"}], "at": "2024-03-01T22:59:59.999Z",
        "source": "Salon « été »", "channels": ["email", "sms"],
    }  # fmt: skip


def test_one_accent_far_in_the_file_decides(listed):
    text = "contact\n" + "a@exemple.example\n" * 200_000 + "hélène@exemple.example\n"
    assert layout_of(listed(text, "cp1252")).encoding == "cp1252"
    assert layout_of(listed(text)).encoding == "utf-8-sig"


def test_english_names_and_several_contacts_of_one_person(listed):
    text = 'Email,Phone,Postal address,Received by\na@b.example,01 99 00 12 34,"12 rue des Lilas | 75011 Paris",acme\n'
    layout, (cells,) = read(listed(text))
    row = row_of(cells, layout)
    assert [c["type"] for c in row["contacts"]] == ["email", "phone", "post"]
    assert row["contacts"][2]["value"] == "12 rue des Lilas\n75011 Paris"
    assert row["party"] == "acme"


@pytest.mark.parametrize("text", ["", "nom;prénom\nx;y\n", "email;courriel\na;b\n", b"\xff\xfec\x00"])
def test_a_file_that_is_no_list_is_refused_with_what_to_do(listed, text):
    with pytest.raises(InputError) as caught:
        layout_of(listed(text))
    assert caught.value.problems[0].code in ("HEADER", "ENCODING")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-01", "2024-03-01T22:59:59.999Z"),
        ("01/07/2024", "2024-07-01T21:59:59.999Z"),
        ("1.7.2024", "2024-07-01T21:59:59.999Z"),
        ("01/07/2024 14:30", "2024-07-01T12:30:00.000Z"),
        ("01/07/2024 14h30", "2024-07-01T12:30:00.000Z"),
        ("2024-07-01T14:30:00+02:00", "2024-07-01T12:30:00.000Z"),
        ("", None),
    ],
)
def test_dates(text, instant):
    assert date_of(text) == instant


@pytest.mark.parametrize("text", ["31/02/2024", "2024", "03-2024", "hier", "13/13/2024", "01/07/24"])
def test_what_is_no_date(text):
    with pytest.raises(ValueError, match=r"date|day|month"):
        date_of(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("a@b.example", "email"), ("06 12 34 56 78", "phone"), ("+33 (0)6-12-34-56-78", "phone"),
     ("12 rue des Lilas, 75011 Paris", "post"), ("12 rue des Lilas | Paris", "post"), ("Jeanne", "")],
)  # fmt: skip
def test_what_a_contact_looks_like(text, kind):
    assert contact_of("contact", text)["type"] == kind
    assert contact_of("contact", "") is None


def test_scopes_read_all_as_all_and_an_unknown_word_as_an_error():
    words = {"sms": "sms", "courriel": "email"}
    assert scope_of("Tous", words) is scope_of("", words) is None
    assert scope_of("SMS + courriel", words) == ["email", "sms"]
    assert scope_of("acme;canalvert", None) == ["acme", "canalvert"]
    with pytest.raises(KeyError):
        scope_of("pigeon", words)


class Service:
    """The route, on the real reading of rows; may be away, or die after a number of batches."""

    def __init__(self):
        self.stops, self.calls, self.away, self.dies_after = [], 0, 0, None

    def ask(self, _endpoints, _method, path, body):
        assert path == "/v1/stops/import"
        self.calls += 1
        if self.away:
            self.away -= 1
            raise Unavailable("away")
        if self.dies_after is not None and self.calls > self.dies_after:
            raise Unavailable("away")
        results = []
        for row in rows_of(json.dumps(body).encode()):
            try:
                stop = stop_of(row, FakeRegistry(), PERSONS.row_key, START)
            except InputError as error:
                results.append({"status": "rejected", "problems": [p.as_dict() for p in error.problems]})
            else:
                self.stops.append(stop)
                results.append({"status": "queued", "stop": stop["stop_id"]})
        return httpx.Response(202, json={"results": results})


@pytest.fixture
def service(monkeypatch):
    one = Service()
    monkeypatch.setattr(sending, "ask", one.ask)
    monkeypatch.setattr(sending, "PAUSE_S", 0.0)
    monkeypatch.setattr("services.cli.stop_import.command.resolve", lambda _data_dir: None)
    return one


def run(*words):
    app = main.build(["stop"])
    done = CliRunner().invoke(app, ["stop", "import", "--per-second", "1e9", *map(str, words)])
    return done.exit_code, done.stdout, done.exception


def test_a_list_is_taken_in_and_what_is_not_understood_is_written_beside_it(listed, service):
    path = listed(
        "contact;date;canaux;destinataires\n"
        "a@exemple.example;2024-03-01;;\n"
        "pas clair;;;\n"
        "b@exemple.example;31/02/2024;;\n"
        "12 34;;;\n"
        "c@exemple.example;;pigeon;inconnu\n"
        "d@exemple.example;;;inconnu\n"
        "\n"
        '"e@exemple.example;\n'
    )
    code, out, _ = run(path, "--json")
    assert code == 1
    told = json.loads(out)
    assert (told["rows"], told["queued"], told["rejected"]) == (7, 1, 6)
    with Path(told["rejects_file"]).open(newline="") as file:
        rejects = list(csv.DictReader(file, delimiter=";"))
    assert [int(r["line"]) for r in rejects][:5] == [3, 4, 5, 6, 7]
    reasons = [r["reason"] for r in rejects]
    for reason, word in zip(
        reasons, ("CONTACT-UNCLEAR", "DATE", "CONTACT", "VALUE-UNKNOWN", "PARTY-UNKNOWN", "CSV"), strict=True
    ):
        assert word in reason
    assert rejects[0]["contact"] == "pas clair"
    assert len(service.stops) == 1
    assert not path.with_name(path.name + ".import.json").exists()


def test_the_same_list_again_gives_the_same_stops(listed, service):
    path = listed("contact\na@exemple.example\nA@exemple.example\n01 99 00 12 34\n")
    assert run(path)[0] == run(path)[0] == 0
    assert len(service.stops) == 6
    assert len({stop["stop_id"] for stop in service.stops}) == 2  # the collector's guard counts each once


def test_corrected_rejects_can_be_imported_as_they_are(listed, service):
    path = listed("contact;date\npas clair;2024-03-01\n")
    assert run(path)[0] == 1
    rejects = path.with_name(path.name + ".rejects.csv")
    assert rejects.stat().st_mode & 0o077 == 0
    corrected = listed(rejects.read_text().replace("pas clair", "x@exemple.example"), name="corrige.csv")
    assert run(corrected)[0] == 0
    assert service.stops[0]["at"] == "2024-03-01T22:59:59.999Z"


def test_an_interrupted_import_goes_on_where_it_stood(listed, service):
    lines = [f"p{n}@exemple.example" if n % 10 else "pas clair" for n in range(1700)]
    path = listed("contact\n" + "\n".join(lines) + "\n")
    service.dies_after = 2
    code, _, error = run(path)
    assert code == 1  # the runner's code for an exception
    assert isinstance(error, Unavailable)
    assert len(service.stops) == 900
    service.dies_after = None
    code, out, _ = run(path, "--json")
    told = json.loads(out)
    assert (told["resumed_from"], told["rows"], told["queued"], told["rejected"]) == (1000, 1700, 1530, 170)
    assert len(service.stops) == len({stop["stop_id"] for stop in service.stops}) == 1530
    with Path(told["rejects_file"]).open(newline="") as file:
        assert len(list(csv.reader(file))) == 171
    service.dies_after = service.calls + 1
    run(path)
    path.write_text(path.read_text().replace("p1@", "q1@"))  # another list: from its beginning
    service.dies_after = None
    assert json.loads(run(path, "--json")[1])["resumed_from"] == 0


def test_a_service_that_is_away_for_a_moment_is_waited_for(listed, service):
    service.away = 3
    assert run(listed("contact\na@exemple.example\n"))[0] == 0
    assert len(service.stops) == 1


def test_check_sends_and_writes_nothing(listed, service):
    path = listed("contact;date\na@exemple.example;\nb@exemple.example;hier\n")
    code, out, _ = run(path, "--check", "--json")
    assert code == 1
    told = json.loads(out)
    assert told["columns"] == {"contact": "contact", "date": "date"}
    assert (told["rows"], told["refused"], told["reasons"]) == (2, 1, {"DATE": 1})
    assert service.calls == 0
    assert sorted(p.name for p in path.parent.iterdir()) == ["liste.csv"]


def test_memory_does_not_grow_with_the_list(listed):
    path = listed("contact;source\n" + "".join(f"personne.{n}@exemple.example;liste\n" for n in range(60_000)))
    layout = layout_of(path)
    tracemalloc.start()
    try:
        rows = sum(batch.count for batch in batches(lines_of(path, layout, lambda _at: None), layout, 0))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows == 60_000
    assert peak < layout.size / 2
