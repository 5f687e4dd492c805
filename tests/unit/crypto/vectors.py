"""Reads the published test data under tests/vectors."""

import base64
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2] / "vectors"


def load(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def b64(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def b64_list(texts: list[str] | None) -> list[bytes]:
    return [b64(text) for text in texts or []]
