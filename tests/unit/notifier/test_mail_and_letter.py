"""What leaves: a plain mail with the right headers and no tracking, and a letter whose address shows in the window."""

import base64
import email
import io
from datetime import UTC, datetime
from email.policy import default

import pytest
from pydantic import ValidationError
from pypdf import PdfReader

from services.notifier.settings import NotifierSettings
from services.notifier.transports.letter import render
from services.notifier.transports.mail import compose
from shared.contracts.person_messages import Attached, Content

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
MM = 72 / 25.4


def content(**change):
    values = {"id": "m1", "channel": "email", "to": "jeanne@courriel.example", "subject": "Vos données",
              "text": "Bonjour,\n\nvoici le lien :\nhttps://opposable.example/me/abc\n"}  # fmt: skip
    return Content(**{**values, **change})


def mail(**change):
    made = compose(content(**change), sender="Opposable <non@opposable.example>", deployment="opposable.example", at=AT)
    return made, email.message_from_bytes(made.as_bytes(), policy=default)


def test_a_mail_is_plain_text_and_says_it_is_automatic():
    _, read = mail()
    assert read.get_content_type() == "text/plain"
    assert read.get_content().replace("\r\n", "\n") == content().text
    headers = {name: str(value) for name, value in read.items()}
    assert headers["From"] == "Opposable <non@opposable.example>"
    assert headers["To"] == "jeanne@courriel.example"
    assert headers["Subject"] == "Vos données"
    assert headers["Message-ID"] == "<m1@opposable.example>"
    assert headers["Date"] == "Tue, 01 Sep 2026 10:00:00 +0000"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert mail()[0].as_bytes() == mail()[0].as_bytes()  # every attempt is the same mail
    assert b"<img" not in mail()[0].as_bytes()


def test_attachments_keep_their_names_and_bytes():
    file = Attached(name="données.pdf", media_type="application/pdf", content=base64.b64encode(b"%PDF").decode())
    _, read = mail(attachments=(file,))
    (part,) = read.iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        "données.pdf",
        "application/pdf",
        b"%PDF",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "a\nBcc: x@y.example"},
        {"subject": "a\x85b"},
        {"to": "a@b.example\r\nBcc: c@d.example"},
        {"to": "a@b.example,c@d.example"},
    ],
)
def test_a_content_that_would_inject_a_header_cannot_even_be_read(change):
    with pytest.raises(ValidationError):
        content(**change)


def test_a_letter_shows_its_whole_address_in_the_window_however_the_sheet_slides():
    address = [
        "Mme Jeanne MARTIN",
        "Appartement 12",
        "Résidence des Tilleuls",
        "12 RUE DE LA PAIX",
        "LIEU-DIT LES CHÊNES",
        "75002 PARIS",
    ]
    letter = content(channel="letter", to="\n".join(address), text='Madame,\n\n#import "x" *pas gras* $x$\n\nMerci.')
    pages = PdfReader(io.BytesIO(render(letter, "m1", AT, ["Opposable", "1 rue X", "75001 PARIS"]))).pages
    assert len(pages) == 1
    placed = {}
    height = float(pages[0].mediabox.height)

    def note(text, cm, tm, _font, _size):
        x, y = tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        placed[text.strip()] = (x / MM, (height - y) / MM)

    pages[0].extract_text(visitor_text=note)
    for line in address:
        x, foot = placed[line]
        assert 100 <= x <= 140, (line, x)
        assert 55 + 3 <= foot <= 79 - 1, (line, foot)  # capitals are 3 mm high, descenders 1 mm deep
    text = pages[0].extract_text()
    assert "*pas gras* $x$" in text  # data, never markup
    assert "le 1er septembre 2026" in text
    assert "Objet : Vos données" in text.replace("\u00a0", " ")


def test_a_mail_server_elsewhere_is_never_spoken_to_in_clear():
    with pytest.raises(ValidationError, match="only for a mail server on this machine"):
        NotifierSettings(notifier_smtp_host="smtp.example", notifier_smtp_tls="none")
    assert NotifierSettings(notifier_smtp_host="127.0.0.1", notifier_smtp_tls="none").notifier_smtp_port == 587
