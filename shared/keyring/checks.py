"""Check values: they tell whether a secret is the right one, and nothing else about it.

`HMAC-SHA256(secret, "opposable check v1" ‖ 0x00 ‖ name ‖ 0x00 ‖ version)`, its first 8 bytes in hexadecimal. A secret of 32
random bytes cannot be found from it; two different ones share it once in 10¹⁹ times.
"""

from __future__ import annotations

import hmac

_LABEL = b"opposable check v1\0"
_BYTES = 8


def check_value(name: str, version: int, secret: bytes) -> str:
    """16 hexadecimal digits that may be written down, shown, and compared."""
    return hmac.digest(secret, _LABEL + f"{name}\0{version}".encode(), "sha256")[:_BYTES].hex()
