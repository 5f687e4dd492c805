"""Where the page is: a file or an http(s) address, and what it may load from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.errors import InputError, Problem

INERT = ("data", "blob", "about")
"""Schemes that reach no host."""


@dataclass(frozen=True, slots=True)
class Address:
    """The page's URL. A file may load files of its own folder; a web page may speak to its own host; `others` are added."""

    url: str
    folder: Path | None = None
    others: frozenset[str] = frozenset()

    @property
    def shown(self) -> str:
        """How reports name the page: a file by its name only."""
        return self.url if self.folder is None else unquote(self.url.rsplit("/", 1)[-1])

    @property
    def hosts(self) -> frozenset[str]:
        """Hosts the browser may resolve."""
        own = urlsplit(self.url).hostname
        return self.others | {own} if own else self.others

    def allows(self, url: str) -> bool:
        """Whether the page may ask for this."""
        parts = urlsplit(url)
        if parts.scheme in INERT:
            return True
        if parts.scheme == "file":
            return self.folder is not None and Path(unquote(parts.path)).resolve().is_relative_to(self.folder)
        if parts.scheme not in {"http", "https"}:
            return False
        if parts.hostname in self.others:
            return True
        return self.folder is None and parts.netloc == urlsplit(self.url).netloc

    def bytes(self) -> bytes | None:
        """The page's bytes where it is a file."""
        return None if self.folder is None else Path(unquote(urlsplit(self.url).path)).read_bytes()


def address_of(page: str, others: frozenset[str] = frozenset()) -> Address:
    """The address of a file or URL as typed. Raises InputError."""
    parts = urlsplit(page)
    if parts.scheme in {"http", "https"}:
        if not parts.hostname or parts.username or parts.password:
            raise InputError([Problem("PAGE", "PAGE", "an address is http(s)://host/path, without a password in it")])
        return Address(page, None, others)
    path = Path(page).resolve()
    if not path.is_file():
        raise InputError([Problem("PAGE", "PAGE", "give an HTML file that is there, or an http(s) address")])
    return Address(path.as_uri(), path.parent, others)
