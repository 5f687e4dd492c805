"""Files that the code makes (contracts, monitoring): written, and compared with what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Write each text to its path below `root`."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def differing(root: Path, files: Mapping[str, str], present: Iterable[str] = ()) -> list[str]:
    """The paths that are not what the code makes. `present`: paths of the same kind, where those nothing makes count too."""
    return sorted(path for path in {*files, *present} if _read(root / path) != files.get(path))


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
