"""JSON bytes to values of a given shape and back. Every way of failing is an InvalidBody."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec

from fhir_mappings.resources.shapes import is_not_utf_8

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_TOO_DEEP = "The JSON is nested too deeply."
_BYTE = re.compile(r" ?\(byte (\d+)\)")
_AT = re.compile(r" - at `(?:key in )?\$([^`]*)`")


@dataclass(frozen=True, slots=True)
class BodyProblem:
    """An error in a body. code: a FHIR issue type; expression: the path of what is wrong."""

    code: str
    diagnostics: str
    expression: str | None = None


class InvalidBody(ValueError):
    """A body that cannot be decoded. status: 400 for JSON, 422 for JSON that is not a Bundle."""

    def __init__(self, problems: tuple[BodyProblem, ...], status: int = 400) -> None:
        super().__init__("; ".join(problem.diagnostics for problem in problems))
        self.problems = problems
        self.status = status


class Name(str):
    """The name of a member, equal to no other: two members of one name are both kept."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


def unique_members(named: Mapping[Name, T], place: str) -> dict[str, T]:
    """The members by name. Raises InvalidBody where two have the same name."""
    members = {str(name): value for name, value in named.items()}
    if len(members) < len(named):
        raise InvalidBody((_duplicate(place),))
    return members


def value_of(raw: msgspec.Raw, place: str) -> Any:
    """A small value as plain JSON. Raises InvalidBody also where two members have the same name."""
    value = decoded(raw, Any, place)
    if not isinstance(value, dict | list):
        return value

    def check(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise InvalidBody((_duplicate(place),))

    try:
        json.loads(bytes(raw).decode(), object_pairs_hook=check, parse_int=str, parse_float=str)
    except RecursionError:
        raise InvalidBody((BodyProblem("too-costly", _TOO_DEEP, place or None),)) from None
    return value


def _duplicate(place: str) -> BodyProblem:
    # Another reader of this call, such as a gateway, may have taken the other member.
    return BodyProblem("invalid", "Two members of an object have the same name.", place or None)


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape, dec_hook=operator.call)


def decoded(body: bytes | msgspec.Raw, shape: Any, place: str) -> Any:
    """Decode the body as that shape. Raises InvalidBody, whose message never repeats a value."""
    try:
        return _decoder(shape).decode(body)
    except RecursionError:
        problem = BodyProblem("too-costly", _TOO_DEEP, place or None)
    except msgspec.ValidationError as error:
        # msgspec names types and paths, never values.
        at = _place_of(error, place)
        problem = BodyProblem("structure", f"Not the expected shape: {_words(error)}.", at or None)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if is_not_utf_8(error):
            said = f"{'This value' if place else 'The body'} is not valid UTF-8{_first_bad(body)}."
            raise InvalidBody((BodyProblem("invalid", said, place or None),)) from None
        words = _words(error)
        match = _BYTE.search(words)
        at = position_in(body, int(match[1]) if match else len(bytes(body)))
        words = f"{_BYTE.sub('', words)} ({at}{'' if match else ', its end'})"
        problem = BodyProblem("invalid", f"Not valid JSON: {words}.", place or None)
    raise InvalidBody((problem,))


def _first_bad(body: bytes | msgspec.Raw) -> str:
    """ " (byte 7)": position of the first byte that is not UTF-8."""
    try:
        bytes(body).decode()
    except UnicodeDecodeError as error:
        return f" ({position_in(body, error.start)})"
    return ""


def position_in(body: bytes | msgspec.Raw, byte: int) -> str:
    """The byte, and of a whole body also line and column, as editors count them."""
    if isinstance(body, msgspec.Raw):
        return f"byte {byte}"
    line = body.count(b"\n", 0, byte) + 1
    before = body[body.rfind(b"\n", 0, byte) + 1 : byte]
    return f"byte {byte}, line {line}, column {len(before.decode('utf-8', 'replace')) + 1}"


def _place_of(error: msgspec.ValidationError, place: str) -> str:
    """The place of the member at fault; names of members that a caller chose are not in it."""
    match = _AT.search(str(error))
    inner = match[1].partition("[...]")[0] if match else ""
    return f"{place}{inner}".lstrip(".")


def _words(error: Exception) -> str:
    return str(error).replace("`", "")


def json_bytes(content: Any) -> bytes:
    """Compact JSON in UTF-8. Members keep their order: the same content gives the same bytes."""
    try:
        return _encoder.encode(content)
    except UnicodeEncodeError:
        # A lone surrogate from a record has no UTF-8: it is replaced by a question mark.
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def with_raw_numbers(text: str) -> Any:
    """The value of a JSON text, its numbers as written (4.10) for `indented`. Raises as `json.loads` does."""
    return json.loads(text, parse_int=msgspec.Raw, parse_float=msgspec.Raw)


def indented(content: Any) -> str:
    """Indented JSON text of a value without lone surrogates: `decoded` rejects them."""
    return msgspec.json.format(_encoder.encode(content), indent=2).decode()
