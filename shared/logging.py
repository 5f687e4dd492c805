"""JSON logs that cannot print personal data (RGPD 5(1)(c), 32).

Three barriers: only a closed list of field names passes; every string is masked where it looks like a contact; an
exception is written as its class and the places in the code, and its text only where it is ours (`OpposableError`).
"""

from __future__ import annotations

import io
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import orjson
import structlog

from shared.errors import OpposableError

FIELDS = frozenset({
    "event", "level", "timestamp", "service", "logger", "exception", "topic", "partition", "offset", "group", "count",
    "seconds", "code", "pointer", "party", "record", "stop", "order", "origin", "size", "root", "epoch", "task", "port",
    "url", "attempt", "reason", "state", "first", "last", "path", "method", "status", "version", "engine", "pid", "key",
    "expected", "found",
})  # fmt: skip
"""The closed list of names a log line may carry. A name outside it is dropped and counted in `dropped`."""

_EMAIL = re.compile(r"\S*@\S+")
_PHONE = re.compile(r"(?<![\w.:/-])\+?\d(?:[ .()-]?\d){8,14}(?![\w-])")
_ADDRESS = re.compile(r"(?<![\w.])(?!127\.0\.0\.1|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")


def mask(text: str) -> str:
    """The text with whatever looks like an e-mail address, a telephone number or an IP address replaced."""
    return _ADDRESS.sub("‹ip›", _PHONE.sub("‹number›", _EMAIL.sub("‹e-mail›", text)))


def describe(error: BaseException) -> dict[str, Any]:
    """An exception without its text: class, the chain of causes, and where in the code."""
    frames = [f"{f.filename.rsplit('/', 2)[-2]}/{f.filename.rsplit('/', 1)[-1]}:{f.lineno}:{f.name}"
              for f in traceback.extract_tb(error.__traceback__)[-6:] if "/" in f.filename]  # fmt: skip
    described: dict[str, Any] = {"class": type(error).__name__, "at": frames}
    if isinstance(error, OpposableError):
        described["text"] = mask(str(error))
    cause = error.__cause__ or error.__context__
    if cause is not None and cause is not error:
        described["cause"] = type(cause).__name__
    return described


def _safe(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(item) for item in value]
    if isinstance(value, dict):
        return {mask(str(key)): _safe(item) for key, item in value.items()}
    return mask(str(value))


def _close(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    info = event.pop("exc_info", None)
    if isinstance(info, BaseException):
        event["exception"] = describe(info)
    elif info:
        current = info[1] if isinstance(info, tuple) else sys.exc_info()[1]
        if current is not None:
            event["exception"] = describe(current)
    dropped = [name for name in event if name not in FIELDS]
    closed: dict[str, Any] = {
        name: value if name == "exception" else _safe(value) for name, value in event.items() if name in FIELDS
    }
    if dropped:
        closed["dropped"] = len(dropped)
    return closed


def _render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event).decode()


class _StandardError(io.TextIOBase):
    """Standard error as it is when a line is written, whoever replaced it since the logger was made."""

    def write(self, text: str) -> int:
        """Write."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush."""
        sys.stderr.flush()


class _Bridge(logging.Handler):
    """Sends the log records of libraries through the same barriers; their arguments are masked like any text."""

    def __init__(self, logger: Any) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Write one library record."""
        level = (
            "warning" if record.levelno == logging.WARNING else "error" if record.levelno > logging.WARNING else "info"
        )
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        getattr(self._logger, level)(record.getMessage(), **fields)


def configure(service: str, level: str = "INFO") -> Any:
    """Set up logging for this process and return its logger. Lines go to standard error, one JSON object each."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _close,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )
    logger = structlog.get_logger().bind(service=service)
    root = logging.getLogger()
    root.handlers = [_Bridge(logger)]
    root.setLevel(level)
    for noisy in (
        "aiokafka",
        "faststream",
        "uvicorn.error",
        "uvicorn.access",
        "pymongo",
        "httpx",
        "httpcore",
        "asyncio",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return logger
