"""Every code a finding can have stands in docs/forms.md."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_finding_code_is_documented() -> None:
    folder = ROOT / "services" / "form_inspector"
    made = re.compile(r"(?:error|warning|info|make)\(\s*\"([A-Z-]+)\"")
    codes = {code for source in folder.glob("findings*.py") for code in made.findall(source.read_text("utf-8"))}
    words = set(re.findall(r"[A-Z]+(?:-[A-Z]+)+|CAPACITY|INCENTIVE", (ROOT / "docs" / "forms.md").read_text("utf-8")))
    assert len(codes) > 35
    assert codes <= words, codes - words
