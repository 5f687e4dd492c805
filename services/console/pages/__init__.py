"""One module a page (or a family of pages). Each gives `PAGE`; it is found by being here (see the README of the console)."""

from __future__ import annotations

import importlib
import pkgutil

from services.console.routing import Page


def found() -> list[Page]:
    """The pages of every module of this package."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}").PAGE for name in names]
