"""The pages themselves: a tagged, archivable, reproducible PDF within its margins, made beside the event loop."""

import asyncio
import hashlib
import io
import re
import struct
import subprocess
import sys
import time
import zlib

import pytest
from pypdf import PdfReader

from services.proof_archive.attestation.picture import picture_of
from services.proof_archive.attestation.render import Renderer, pages, render
from services.proof_archive.attestation.text import moment, printable, short_day, shown
from tests.unit.attestation import attestation_world as world
from tests.unit.attestation.reading import flat, text_of


@pytest.fixture(scope="module")
def made():
    """Every variant, rendered once."""
    return {name: render(case) for name, case in world.variants().items()}


def test_a_page_is_accessible_and_archivable(made):
    for name, pdf in made.items():
        reader = PdfReader(io.BytesIO(pdf))
        root = reader.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"], name
        assert root["/Lang"] == "fr-FR"
        metadata = root["/Metadata"].get_object().get_data().decode()
        assert re.search(r"pdfaid:part>2<|pdfaid:part=\"2\"", metadata)
        assert re.search(r"pdfuaid:part>1<|pdfuaid:part=\"1\"", metadata)
        assert reader.metadata.title.startswith("Attestation de preuve d’un consentement")
        fonts = {str(f.get_object()["/BaseFont"]) for p in reader.pages for f in p["/Resources"]["/Font"].values()}
        assert {re.sub(r"^/[A-Z]{6}\+", "", font).split("-")[0] for font in fonts} <= {
            "LibertinusSerif",
            "DejaVuSansMono",
        }
        count = len(reader.pages)
        for number, page in enumerate(reader.pages, start=1):
            assert flat(f"Page {number} / {count}") in flat(page.extract_text())


def test_the_same_input_gives_the_same_bytes_in_another_process(made):
    code = (
        "import hashlib; from tests.unit.attestation import attestation_world as w;"
        "from services.proof_archive.attestation.render import render;"
        "print(hashlib.sha256(render(w.case_of(w.world(), policy=w.base.WITNESSED_POLICY))).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert other == hashlib.sha256(made["granted"]).hexdigest()


async def test_the_event_loop_goes_on_while_pages_are_made():
    renderer, beats, done = Renderer(at_once=2), [], asyncio.Event()
    cases = [world.case_of(world.world(), pending=n) for n in range(6)]

    async def beat():
        while not done.is_set():
            beats.append(time.perf_counter())
            await asyncio.sleep(0.002)

    beating = asyncio.create_task(beat())
    pdfs = await asyncio.gather(*map(renderer.pdf, cases))
    done.set()
    await beating
    assert len(set(pdfs)) == 6  # each its own
    assert len(beats) > 6  # a loop held up by six renderings would not have beaten between them


async def test_no_more_than_so_many_at_once(monkeypatch):
    running, most = [], []

    def slow(case):
        running.append(case)
        most.append(len(running))
        time.sleep(0.02)
        running.remove(case)
        return b""

    monkeypatch.setattr("services.proof_archive.attestation.render.render", slow)
    renderer = Renderer(at_once=2)
    await asyncio.gather(*map(renderer.pdf, range(8)))
    assert max(most) == 2


def test_dates_and_texts():
    assert moment("2026-09-01T08:31:07.120Z") == "1er septembre 2026 à 10 h 31 min 07 s (heure de Paris ; 08:31:07 UTC)"
    assert moment(None) == short_day(None) == "—"
    assert (short_day("2026-09-13"), short_day("2026-12-31T23:30:00Z"), short_day("jamais")) == (
        "13/09/2026",
        "01/01/2027",
        "jamais",
    )
    assert shown("a\u202eb") == "a[U+202E]b"
    assert printable(["x" * 30])[0].count("\u200b") == 2
    assert printable({"mono": True, "v": "a" * 64})["v"] == "a" * 64
    assert printable("é" * 2000).endswith("…")


def test_a_picture_too_large_to_decode_is_not_opened():
    bomb = world.PICTURE[:16] + (60_000).to_bytes(4, "big") * 2 + world.PICTURE[24:]
    assert picture_of(bomb) is None
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x02\x58\x03\x20" + b"\0" * 20
    assert (picture_of(jpeg).width, picture_of(jpeg).height) == (800, 600)
    assert picture_of(b"\xff\xd8\xff\xe0\x00\x04ab" + b"\0" * 30) is None


def pixels(png):
    """Rows of RGB or RGBA bytes of a PNG without interlace (ISO/IEC 15948 §9: the five filters)."""
    at, data, header = 8, b"", b""
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        header, data, at = (
            (body if kind == b"IHDR" else header),
            (data + body if kind == b"IDAT" else data),
            at + 12 + length,
        )
    width, height, _, colour = struct.unpack(">IIBB", header[:10])
    step = 4 if colour == 6 else 3
    raw, before, rows = zlib.decompress(data), bytes(width * step), []
    for y in range(height):
        filter_, row = (
            raw[y * (width * step + 1)],
            bytearray(raw[y * (width * step + 1) + 1 : (y + 1) * (width * step + 1)]),
        )
        for x in range(width * step):
            left, up, corner = (row[x - step] if x >= step else 0), before[x], (before[x - step] if x >= step else 0)
            nearest = min((left, up, corner), key=lambda v, p=left + up - corner: abs(p - v))
            row[x] = (row[x] + (0, left, up, (left + up) // 2, nearest)[filter_]) % 256
        rows.append(bytes(row))
        before = bytes(row)
    return width, step, rows


@pytest.mark.parametrize("variant", ["hostile", "withdrawn-collector", "many"])
def test_nothing_is_printed_outside_the_margins(variant):
    millimetre = 24 / 25.4
    shown_pages = list(pages(world.variants()[variant], ppi=24))
    for page in [*shown_pages[:3], shown_pages[-1]]:
        width, step, rows = pixels(page)
        left, right = int(18 * millimetre), int(width - 18 * millimetre)
        assert all(set(row[: left * step]) == {255} and set(row[right * step :]) == {255} for row in rows)
        assert any(set(row) != {255} for row in rows)


@pytest.mark.parametrize("spoilt", [b"GIF89a" + b"0" * 100, world.PICTURE[:200], world.PICTURE[:33] + b"\0" * 500, b""])
def test_a_screenshot_that_is_no_picture_is_told_not_printed(monkeypatch, spoilt):
    case = world.case_of(world.world())
    monkeypatch.setitem(case.request.evidence, world.PICTURE_SHA256, spoilt)
    assert flat("elle ne peut pas être imprimée ici") in text_of(render(case))
