"""Log lines: JSON, or text on a terminal. They never hold anything that a client sent."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO


class Fields:
    """A log message with further members."""

    __slots__ = ("members", "text")

    def __init__(self, text: str, members: Mapping[str, object]) -> None:
        self.text, self.members = text, members

    def __str__(self) -> str:
        members = " ".join(
            f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in self.members.items()
        )
        return f"{self.text} {members}"


class JsonLines(logging.Formatter):
    """One JSON object per line: time (UTC), level, logger, pid, message and the members of Fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = record.msg if isinstance(record.msg, Fields) and not record.args else None
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": fields.text if fields else record.getMessage(),
        }
        if fields:
            line.update(fields.members)
        line.update(_error(record.exc_info))
        return json.dumps(line, separators=(",", ":"), default=str)


class TextLines(logging.Formatter):
    """Text lines for a terminal."""

    def __init__(self) -> None:
        super().__init__("[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s")

    def formatException(self, exc_info: object) -> str:
        return " ".join(_error(exc_info).values())


def formatter_for(stream: TextIO) -> logging.Formatter:
    """Return the formatter of text lines for a terminal, else of JSON."""
    return TextLines() if stream.isatty() else JsonLines()


def format_message(message: str, stream: TextIO, level: int = logging.INFO) -> str:
    """Return a message of the start in the format of that stream."""
    if stream.isatty():
        return message
    record = logging.LogRecord("service.start", level, "", 0, " ".join(message.split("\n")), None, None)
    return JsonLines().format(record)


def configure_logging(level: str) -> None:
    """Log to standard error. The level holds for our loggers only: libraries could log what was sent."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter_for(sys.stderr))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("service").setLevel(level)


def _error(exc_info: object) -> dict[str, str]:
    """Return class and place of an exception; its message could hold what was sent."""
    if not isinstance(exc_info, tuple) or not isinstance(exc_info[1], BaseException):
        return {}
    error = exc_info[1]
    frames = traceback.extract_tb(error.__traceback__)
    members = {"error": type(error).__name__}
    if frames:
        members["at"] = f"{frames[-1].name} line {frames[-1].lineno}"
    return members
