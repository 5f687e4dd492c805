"""A strict reader, and a writer, of DER (ITU-T X.690 §10): definite, shortest lengths; tags of one byte. Pure."""

from __future__ import annotations

from shared.errors import IntegrityError

SEQUENCE, SET, INTEGER, OID, OCTETS, BITS, BOOLEAN = 0x30, 0x31, 0x02, 0x06, 0x04, 0x03, 0x01
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18

_LONG = 0x80
_LENGTH_BYTES_MOST = 4
_MULTI_BYTE_TAG = 0x1F


class Der:
    """Elements one after the other, between two places of some bytes. Every method raises IntegrityError on other content."""

    def __init__(self, data: bytes, begin: int = 0, end: int | None = None) -> None:
        self._data, self._at, self._end = data, begin, len(data) if end is None else end

    def __bool__(self) -> bool:
        return self._at < self._end

    @property
    def tag(self) -> int:
        """The next element's tag, -1 at the end."""
        return self._data[self._at] if self else -1

    def take(self, tag: int) -> Der:
        """What the next element holds; it must have this tag."""
        _, begin, end = self._next(tag)
        return Der(self._data, begin, end)

    def content(self, tag: int) -> bytes:
        """The bytes that the next element holds."""
        _, begin, end = self._next(tag)
        return self._data[begin:end]

    def raw(self, tag: int) -> bytes:
        """The next element whole."""
        start, _, end = self._next(tag)
        return self._data[start:end]

    def skip(self) -> None:
        """Pass over the next element, whatever it is."""
        self._next(self.tag)

    def done(self) -> None:
        """Nothing follows."""
        if self:
            raise IntegrityError("something follows where nothing may")

    def _next(self, tag: int) -> tuple[int, int, int]:
        data, start = self._data, self._at
        if start + 2 > self._end or data[start] != tag or tag & _MULTI_BYTE_TAG == _MULTI_BYTE_TAG:
            raise IntegrityError("another element was expected")
        length, begin = data[start + 1], start + 2
        if length >= _LONG:
            count = length - _LONG
            begin += count
            if not 1 <= count <= _LENGTH_BYTES_MOST or begin > self._end:
                raise IntegrityError("a length is not written as DER writes it")
            length = int.from_bytes(data[begin - count : begin], "big")
            if length < _LONG or length >> 8 * (count - 1) == 0:
                raise IntegrityError("a length is not written as DER writes it")
        end = begin + length
        if end > self._end:
            raise IntegrityError("an element is cut short")
        self._at = end
        return start, begin, end


def element(tag: int, *parts: bytes) -> bytes:
    """An element that holds these bytes."""
    content = b"".join(parts)
    if len(content) < _LONG:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG + len(size)]) + size + content


def unsigned(content: bytes) -> int:
    """The value of a positive INTEGER's bytes, shortest form. Raises IntegrityError on any other."""
    shortest = len(content) == 1 or (len(content) > 1 and not (content[0] == 0 and content[1] < _LONG))
    if not shortest or content[0] >= _LONG:
        raise IntegrityError("not a positive integer as DER writes it")
    return int.from_bytes(content, "big")
