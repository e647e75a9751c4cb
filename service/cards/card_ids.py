"""Ids of cards and suggestions: signed UUIDs of RFC 9562 version 8.

Feedback carries an id alone: any replica reads from it which row it is about, and that this service made it.
docs/feedback.md holds the layout bit by bit.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

# The kinds, by their number in the id: never reordered. An answer to a question is two of them.
KINDS = ("card", "order", "answer-present", "answer-absent")
VERSION_BITS, NAME_BITS, CALL_BITS, ITEM_BITS, TAG_BITS = 8, 20, 10, 18, 64
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class NotOurs(ValueError):
    """Not an id that this service made."""


class CardId(NamedTuple):
    """What an id says.

    version: bits of the knowledge's version. name: the code of the leading row of a card, of the action of an
    order, of the finding of an answer (see `code_of`); 0 = none. call, item: bits of hashes of the call, and
    of the thing within the call.
    """

    kind: str
    version: int
    name: int
    call: int
    item: int


@dataclass(frozen=True, slots=True)
class CardIds:
    """Makes and reads the ids of one service id.

    secrets: the first signs, all verify; without one the ids are unsigned, and none is read.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    service_id: str = ""

    def written(self, card_id: CardId) -> str:
        """The id as a UUID, in lower case."""
        bits = _packed(card_id)
        tag = _tag(self.secrets[0], self.service_id, bits) if self.secrets else 0
        custom = bits << TAG_BITS | tag
        whole = (
            (custom >> 74) << 80 | 8 << 76 | (custom >> 62 & 0xFFF) << 64 | 2 << 62 | custom & (1 << 62) - 1
        )
        digits = f"{whole:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def read(self, text: str) -> CardId:
        """The parts of that id. Raises NotOurs if it was not made here, for this service id."""
        if not _FORM.fullmatch(text.lower()):
            raise NotOurs("not an id of a card or suggestion of this service")
        whole = uuid.UUID(text).int
        custom = (whole >> 80) << 74 | (whole >> 64 & 0xFFF) << 62 | whole & (1 << 62) - 1
        bits, tag = custom >> TAG_BITS, custom & (1 << TAG_BITS) - 1
        # All are tried, in the same time whichever fits.
        fits = [_same(_tag(secret, self.service_id, bits), tag) for secret in self.secrets]
        if not any(fits):
            raise NotOurs("not an id that this service signed")
        return _unpacked(bits)


def id_of(ids: CardIds, version: str, hook_instance: str, kind: str, name: str, *more: str) -> str:
    """The same call always gives the same thing the same id.

    version: hexadecimal. name: row, action or finding, or "". more: what else tells it apart within the call.
    """
    item = "\n".join(("item", hook_instance, kind, name, *more))
    return ids.written(
        CardId(
            kind,
            int(version[: VERSION_BITS // 4] or "0", 16),
            code_of(name),
            _call(hook_instance),
            _hashed(item, ITEM_BITS),
        )
    )


@lru_cache(maxsize=1024)
def code_of(name: str) -> int:
    """The number of a row, action or finding in an id; 0 = no name.

    Of its name alone, never of its place in a list: no later version of the knowledge reads it as another.
    """
    return _hashed(f"name\n{name}", NAME_BITS) if name else 0


def names_by_code(names: Iterable[str]) -> Mapping[int, str]:
    """code -> name. Raises ValueError where two names share a code."""
    names_of: dict[int, str] = {0: ""}
    for name in names:
        other = names_of.setdefault(code_of(name), name)
        if other != name:
            raise ValueError(f"{name!r} and {other or 'no name'!r} have the same code in ids: rename one")
    return names_of


def _packed(card_id: CardId) -> int:
    kind, version, name, call, item = card_id
    if version >> VERSION_BITS or name >> NAME_BITS or call >> CALL_BITS or item >> ITEM_BITS:
        raise ValueError(f"{card_id} does not fit into its bits")
    bits = KINDS.index(kind) << VERSION_BITS | version
    return ((bits << NAME_BITS | name) << CALL_BITS | call) << ITEM_BITS | item


def _unpacked(bits: int) -> CardId:
    values = []
    for width in (ITEM_BITS, CALL_BITS, NAME_BITS, VERSION_BITS):
        values.append(bits & (1 << width) - 1)
        bits >>= width
    return CardId(KINDS[bits], *reversed(values))


def _tag(secret: str, service_id: str, bits: int) -> int:
    signing = _signing(secret, service_id).copy()
    signing.update(b"%x" % bits)
    return int.from_bytes(signing.digest()[: TAG_BITS // 8], "big")


# Secrets and services are few, and a card has a dozen ids: keying is the larger part of a signature.
@lru_cache(maxsize=64)
def _signing(secret: str, service_id: str) -> hmac.HMAC:
    """The keyed start of every signature of that service."""
    return hmac.new(secret.encode(), f"{service_id}\n".encode(), hashlib.sha256)


def _same(tag: int, other: int) -> bool:
    width = TAG_BITS // 8
    return hmac.compare_digest(tag.to_bytes(width, "big"), other.to_bytes(width, "big"))


# Every id of a call contains it.
@lru_cache(maxsize=1)
def _call(hook_instance: str) -> int:
    return _hashed(f"call\n{hook_instance}", CALL_BITS)


def _hashed(text: str, width: int) -> int:
    # A lone surrogate has no UTF-8; the text may come from a client.
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 64 - width
