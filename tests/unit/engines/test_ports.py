import json
import socket

import pytest

from shared.errors import ConfigurationError
from shared.local_engines import ports
from shared.local_engines.ports import PortBook, draw, is_free


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_second_start_finds_the_same_ports(tmp_path):
    path = tmp_path / "ports.json"
    book = PortBook(path)
    first = {name: book.port(name) for name in ("kafka", "mongodb", "collector")}
    assert len(set(first.values())) == 3
    assert json.loads(path.read_text()) == first
    again = PortBook(path)
    assert {name: again.port(name) for name in first} == first


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path, listener, monkeypatch):
    monkeypatch.setattr(ports, "RELEASE_S", 0.1)
    path = tmp_path / "ports.json"
    path.write_text(json.dumps({"kafka": listener}))
    port = PortBook(path).port("kafka")
    assert port != listener
    assert json.loads(path.read_text()) == {"kafka": port}


def test_a_port_asked_for_is_given_or_refused(tmp_path, listener):
    book = PortBook(tmp_path / "ports.json")
    free = draw()
    assert book.port("kafka", free) == free
    with pytest.raises(ConfigurationError, match=f"port {listener}"):
        book.port("mongodb", listener)


def test_ports_are_drawn_outside_the_range_of_outgoing_connections(tmp_path, monkeypatch):
    kernel = tmp_path / "range"
    kernel.write_text("20000\t60999\n")
    monkeypatch.setattr(ports, "_KERNEL_RANGE", kernel)
    drawn = [draw() for _ in range(50)]
    assert all(15_000 <= port < 20_000 for port in drawn)
    assert all(is_free(port) for port in drawn)


def test_drawing_avoids_what_is_promised_already_and_what_is_taken(listener, monkeypatch):
    free = draw()
    drawn = iter([free - 1, listener, free])
    monkeypatch.setattr(ports.random, "randrange", lambda *_: next(drawn))
    assert draw(avoid=[free - 1]) == free


def test_a_broken_table_is_named(tmp_path):
    path = tmp_path / "ports.json"
    path.write_text("[1]")
    with pytest.raises(ConfigurationError, match=r"ports\.json"):
        PortBook(path)
