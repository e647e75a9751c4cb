"""Bytes as JSON objects of a shape; every way in which they can fail to be is an UnreadableBody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()
_DEEP = "The JSON is nested too deeply."


@dataclass(frozen=True, slots=True)
class BodyProblem:
    """One thing wrong with a body. code: a FHIR issue type; expression: the path at fault."""

    code: str
    diagnostics: str
    expression: str | None = None


class UnreadableBody(ValueError):
    """The body cannot be read. status: 400 for JSON, 422 for JSON that is not a Bundle."""

    def __init__(self, problems: tuple[BodyProblem, ...], status: int = 400) -> None:
        super().__init__("; ".join(problem.diagnostics for problem in problems))
        self.problems = problems
        self.status = status


class Name:
    """The name of a member, equal to no other: one that stands twice is seen twice."""

    def __init__(self, name: str) -> None:
        self.name = name


def members_of(body: bytes | msgspec.Raw, place: str) -> dict[str, msgspec.Raw]:
    """The members of an object, raw. Raises UnreadableBody also where one stands twice."""
    named = decoded(body, dict[Name, msgspec.Raw], place)
    members = {key.name: raw for key, raw in named.items()}
    if len(members) < len(named):
        raise UnreadableBody((_twice(place),))
    return members


def value_of(raw: bytes, place: str) -> Any:
    """A small value, plain. Raises UnreadableBody also where a member of it stands twice."""
    value = decoded(raw, Any, place)
    if not isinstance(value, dict | list):
        return value

    def checked(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise UnreadableBody((_twice(place),))

    try:
        json.loads(raw.decode(), object_pairs_hook=checked, parse_int=str, parse_float=str)
    except RecursionError:
        raise UnreadableBody((BodyProblem("too-costly", _DEEP, place or None),)) from None
    return value


def _twice(place: str) -> BodyProblem:
    # Another reader of this call, such as a gateway, may have taken the other one.
    return BodyProblem("invalid", "A member stands twice in the same object.", place or None)


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    """A decoder works out its shape when it is made: one of each is enough."""
    return msgspec.json.Decoder(shape, dec_hook=lambda kind, name: kind(name))


def decoded(body: bytes | msgspec.Raw, shape: Any, place: str) -> Any:
    """The body as that shape; every way in which it can fail to be is an UnreadableBody."""
    try:
        return _decoder(shape).decode(body)
    except RecursionError:
        problem = BodyProblem("too-costly", _DEEP, place or None)
    except UnicodeDecodeError:
        said = f"{'This value' if place else 'The body'} is not valid UTF-8{_first_bad(bytes(body))}."
        problem = BodyProblem("invalid", said, place or None)
    except msgspec.ValidationError as error:
        # msgspec names types and paths, never values.
        problem = BodyProblem("structure", f"Not the expected shape: {_words(error)}.", place or None)
    except msgspec.DecodeError as error:
        problem = BodyProblem("invalid", f"Not valid JSON: {_placed(error, body)}.", place or None)
    raise UnreadableBody((problem,))


def _placed(error: msgspec.DecodeError, body: bytes | msgspec.Raw) -> str:
    """What is wrong, with the byte at which the decoder stopped: its end where it wanted more."""
    words = _words(error)
    return words if "(byte " in words else f"{words} (byte {len(body)}, its end)"


def _first_bad(body: bytes) -> str:
    """ " (byte 7)": where the first byte stands that is none of UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f" (byte {error.start})"
    return ""


def json_bytes(content: Any) -> bytes:
    """Compact JSON in UTF-8; members keep their order, so that the same content is the same bytes."""
    try:
        return _encoder.encode(content)
    except UnicodeEncodeError:
        # A lone surrogate from a record has no UTF-8: it leaves as a question mark.
        written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return written.encode("utf-8", "replace")


def with_raw_numbers(text: str) -> Any:
    """The value of a JSON text, its numbers as written (4.10) for `indented`. Raises as `json.loads` does."""
    return json.loads(text, parse_int=msgspec.Raw, parse_float=msgspec.Raw)


def indented(content: Any) -> str:
    """JSON text for a reader, of a value without lone surrogates: `decoded` refuses them."""
    return msgspec.json.format(_encoder.encode(content), indent=2).decode()


def _words(error: msgspec.MsgspecError) -> str:
    return str(error).replace("`", "")
