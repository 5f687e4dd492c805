"""Command groups that several modules fill (`opposable registry check`, `opposable registry apply`)."""

from __future__ import annotations

import typer


def group(app: typer.Typer, name: str, text: str) -> typer.Typer:
    """The group of this name, made when no module made it yet. `text` is its help then."""
    for info in app.registered_groups:
        if info.name == name and info.typer_instance is not None:
            return info.typer_instance
    made = typer.Typer(no_args_is_help=True, help=text)
    app.add_typer(made, name=name)
    return made
