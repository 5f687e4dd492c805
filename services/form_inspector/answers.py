"""The operator's answers fill what the page does not show; they never overrule what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from services.form_inspector.questions import UNKNOWN, Question
from shared.errors import InputError, Problem


class _Loader(yaml.SafeLoader):
    """YAML where what looks like a date stays text, as in the registry's files."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def fill(document: dict[str, Any], questions: list[Question], answers: Mapping[str, str]) -> list[Question]:
    """Put the answers (field → YAML text) into the document; gives the questions that are left. Raises InputError."""
    open_fields = {question.field for question in questions}
    problems = [
        Problem(
            "ANSWER", field, "this was measured, or is no field of the document: only `unknown` fields are answered"
        )
        for field in answers
        if field not in open_fields
    ]
    for field, text in answers.items():
        try:
            value = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
        except yaml.YAMLError:
            problems.append(Problem("ANSWER", field, "not readable as YAML"))
            continue
        if not problems:
            _put(document, field.split("/"), value)
    if problems:
        raise InputError(problems)
    return [question for question in questions if question.field not in answers]


def _put(document: dict[str, Any], path: list[str], value: Any) -> None:
    place: Any = document
    for part in path[:-1]:
        place = place[int(part)] if isinstance(place, list) else place[part]
    last = path[-1]
    current = place[int(last)] if isinstance(place, list) else place[last]
    if current != UNKNOWN:
        raise InputError([Problem("ANSWER", "/".join(path), "this was measured")])
    place[int(last) if isinstance(place, list) else last] = value
