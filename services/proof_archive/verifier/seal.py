"""Writes into `verifier.html` the hashes of its own style and scripts: its policy lets nothing else run, nothing load.

`python -m services.proof_archive.verifier.seal` after each change of the page (W3C Content Security Policy 3, §2.3.1).
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("verifier.html")
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")[^"]*(">)')
_INLINE = re.compile(r"<(style|script)[^>]*>(.*?)</\1>", re.DOTALL)


def sealed(page: str) -> str:
    """The page with the policy that its style and scripts need, and no other."""
    allowed: dict[str, list[str]] = {"style": [], "script": []}
    for kind, content in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        allowed[kind].append(f"'sha256-{digest}'")
    rules = [
        "default-src 'none'",
        *(f"{kind}-src {' '.join(hashes)}" for kind, hashes in allowed.items()),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return _POLICY.sub(lambda match: match[1] + "; ".join(rules) + match[2], page, count=1)


def main() -> None:
    """Seal the page in place."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(sealed(page), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: sealed\n")


if __name__ == "__main__":
    main()
