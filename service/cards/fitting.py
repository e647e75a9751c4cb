"""One sentence of several parts, as long as a summary may be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from service.cards.text import capital, small

# CDS Hooks: "under 140 characters".
LIMIT_CHARACTERS = 140


class SummaryTooLong(ValueError):
    """No form of the summary fits: an error in the wording, never a reason to cut."""

    def __init__(self) -> None:
        super().__init__("no form of the summary is under 140 characters: shorten wording.yaml")


def fitting(parts: Sequence[Sequence[str]]) -> str:
    """One sentence of the parts under 140 characters.

    As few parts as possible are shortened, the later ones first; if that does not suffice, the last parts are
    left out.

    Args:
        parts: for each part its forms, from the fullest to the shortest.

    Raises:
        SummaryTooLong: even the shortest form of the first part is too long.
    """
    parts = [part for part in parts if part]
    choices = product(*(range(len(part)) for part in parts))
    for choice in sorted(choices, key=lambda forms: (sum(forms), forms)):
        text = _sentence(part[form] for part, form in zip(parts, choice, strict=True))
        if len(text) < LIMIT_CHARACTERS:
            return text
    for count in range(len(parts) - 1, 0, -1):
        text = _sentence(part[-1] for part in parts[:count])
        if len(text) < LIMIT_CHARACTERS:
            return text
    raise SummaryTooLong


def _sentence(parts: Iterable[str]) -> str:
    first, *others = [part for part in parts if part]
    text = capital("; ".join([first, *map(small, others)]))
    return text if text.endswith("?") else f"{text}."
