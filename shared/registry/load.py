"""Reads registry documents from YAML files, as they will be published.

Every scalar that looks like a date stays a text (a coerced date would change the hashes), a key that stands twice is an
error, and decimals become texts: the public JSON profile has no floats.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from shared import canonical
from shared.errors import InputError, IntegrityError, Problem
from shared.intake.schema import TEXT_EXPECTED, problems_of
from shared.registry.models import key_of, parse
from shared.registry.view import RegistryView

KINDS = frozenset({"party", "notice", "form", "list", "agreement", "subprocessor"})
SUFFIXES = frozenset({".yaml", ".yml"})
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its key, its body as published, and where it was written (`file`, 1-based `number` in it)."""

    key: str
    body: dict[str, Any]
    file: str = ""
    number: int = 1

    @property
    def place(self) -> str:
        """`file#number`, for messages."""
        return f"{self.file}#{self.number}"


class _Loader(yaml.SafeLoader):
    """YAML without dates and without silent repeats."""


def _mapping(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice in a mapping", key_node.start_mark)
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_dir(path: Path) -> list[Document]:
    """Every document of a file, or of all YAML files under a directory. Raises InputError naming each fault's place."""
    documents, problems = read_dir(path)
    if problems:
        raise InputError(problems)
    return documents


def view_of(documents: Iterable[Document]) -> RegistryView:
    """A view of documents that were never published: offset -1, no archived time."""
    view = RegistryView()
    for document in documents:
        view.apply(document.key, document.body, offset=-1, archived_at=None)
    return view


def read_dir(path: Path) -> tuple[list[Document], list[Problem]]:
    """The documents that can be read, and a problem for each that cannot (pointer = `file#number/field`)."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
    if not files:
        return [], [Problem("REGISTRY-EMPTY", str(path), "no YAML file is there")]
    documents: list[Document] = []
    problems: list[Problem] = []
    for file in files:
        name = file.name if path.is_file() else file.relative_to(path).as_posix()
        for document in _read_file(file, name, problems):
            found = _faults(document)
            problems += found
            if not found:
                documents.append(document)
    return documents, problems


def _read_file(file: Path, name: str, problems: list[Problem]) -> Iterator[Document]:
    try:
        bodies = [b for b in yaml.load_all(file.read_text("utf-8"), _Loader) if b is not None]
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        problems.append(Problem("REGISTRY-YAML", f"{name}{line}", f"not readable as YAML: {error.problem}"))
        return
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError):
        problems.append(Problem("REGISTRY-YAML", name, "not readable as YAML in UTF-8"))
        return
    for number, body in enumerate(bodies, 1):
        if not isinstance(body, dict) or body.get("kind") not in KINDS:
            message = f"a document starts with its kind: {', '.join(sorted(KINDS))}"
            problems.append(Problem("REGISTRY-KIND", f"{name}#{number}", message))
            continue
        public = _public(body)
        yield Document(key_of(public), public, name, number)


def _faults(document: Document) -> list[Problem]:
    try:
        canonical.check(document.body)
        parse(document.body)
    except ValidationError as error:
        found = problems_of(error, document.body, skip=1)
        return [Problem(p.code, document.place + p.pointer, p.message + _hint(p)) for p in found]
    except IntegrityError as error:
        return [Problem("REGISTRY-JSON", document.place, str(error))]
    return []


def _hint(problem: Problem) -> str:
    """YAML reads `999000011`, `off` and `NO` as a number and two booleans."""
    return ": put it between quotes" if problem.message == TEXT_EXPECTED else ""


def _public(value: Any) -> Any:
    """The value in the public JSON profile: decimals as texts."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _public(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_public(item) for item in value]
    return value
