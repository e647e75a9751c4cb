"""Log lines: JSON for machines, text for a terminal. We choose what is written; never is it what was sent."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from fhir_mappings.request.json_body import json_bytes


def _written(line: Mapping[str, object]) -> str:
    """Compact JSON in ASCII."""
    text = json_bytes(line).decode()
    # As it is nearly always; anything else is escaped.
    return text if text.isascii() and text.isprintable() else json.dumps(line, separators=(",", ":"))


class Fields:
    """The message of a line that has members of its own."""

    __slots__ = ("members", "says")

    def __init__(self, says: str, members: Mapping[str, object]) -> None:
        self.says, self.members = says, members

    def __str__(self) -> str:
        named = " ".join(
            f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in self.members.items()
        )
        return f"{self.says} {named}"


class JsonLines(logging.Formatter):
    """An object a line: time (UTC), level, logger, pid, message and its own members."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.msg if isinstance(record.msg, Fields) and not record.args else None
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": own.says if own else record.getMessage(),
        }
        if own:
            line.update(own.members)
        line.update(_error(record))
        return _written(line)


class TextLines(logging.Formatter):
    """For who reads along."""

    def __init__(self) -> None:
        super().__init__("[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s")

    def formatException(self, exc_info: object) -> str:
        # Of an exception in the middle of a request the text could hold what was sent.
        return " ".join(_told(exc_info).values())


def lines_for(stream: TextIO) -> logging.Formatter:
    """Text where a person looks, else JSON."""
    return TextLines() if stream.isatty() else JsonLines()


def said(message: str, stream: TextIO, level: int = logging.INFO) -> str:
    """What the start has to say, as a line of that stream."""
    if stream.isatty():
        return message
    record = logging.LogRecord("service.start", level, "", 0, " ".join(message.split("\n")), None, None)
    return JsonLines().format(record)


def set_up(level: str) -> None:
    """Logs to standard error. Ours alone at that level: what libraries log could name what was sent."""
    # What no line says of its thread need not be looked up.
    logging.logThreads = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(lines_for(sys.stderr))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("service").setLevel(level)


def _error(record: logging.LogRecord) -> dict[str, str]:
    return _told(record.exc_info) if record.exc_info else {}


def _told(exc_info: object) -> dict[str, str]:
    """Class and place of an exception; never its message."""
    if not isinstance(exc_info, tuple) or not isinstance(exc_info[1], BaseException):
        return {}
    error = exc_info[1]
    places = traceback.extract_tb(error.__traceback__)
    told = {"error": type(error).__name__}
    if places:
        told["at"] = f"{places[-1].name} line {places[-1].lineno}"
    return told
