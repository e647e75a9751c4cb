"""The part of a card above its rule: blocks that are shortened until it is short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.cards.text import capital

MOST_LINES_ABOVE, MOST_WORDS_ABOVE = 12, 110


@dataclass(slots=True)
class Part:
    """Some lines above the rule, in forms from the fullest to the briefest.

    soft: of each step to a briefer form. The softest step of all parts is taken first, until the card is
    short.
    """

    forms: Sequence[Sequence[str]]
    soft: Sequence[float] = ()
    numbered: bool = False
    form: int = 0

    @property
    def lines(self) -> Sequence[str]:
        return self.forms[self.form]

    @property
    def next_soft(self) -> float:
        """How soft its next step is; 0 = there is none."""
        if self.form + 1 >= len(self.forms):
            return 0
        return self.soft[min(self.form, len(self.soft) - 1)]


def fitted(parts: Iterable[Part]) -> list[str]:
    """The blocks of the parts: at most 12 lines and 110 words, as far as their forms allow."""
    kept = [part for part in parts if part.lines]
    blocks = _rendered(kept)
    while count_lines(blocks) > MOST_LINES_ABOVE or count_words(blocks) > MOST_WORDS_ABOVE:
        softest = max(kept, key=lambda part: part.next_soft, default=None)
        if softest is None or not softest.next_soft:
            break
        softest.form += 1
        blocks = _rendered(kept)
    return blocks


def sentence(text: str) -> str:
    """A sentence."""
    return capital(text) if text.endswith(("?", ".")) else f"{capital(text)}."


def _rendered(parts: Sequence[Part]) -> list[str]:
    """The blocks of the parts; actions are numbered through."""
    blocks: list[str] = []
    number = 0
    for part in parts:
        lines = part.lines
        if not lines or not part.numbered:
            blocks += lines
            continue
        lines = [f"{number + place}. {text}" for place, text in enumerate(lines, 1)]
        # A list goes on where nothing comes between.
        if _ends_list(blocks, number):
            blocks[-1] += "\n" + "\n".join(lines)
        else:
            blocks.append("\n".join(lines))
        number += len(lines)
    return blocks


def _ends_list(blocks: Sequence[str], number: int) -> bool:
    return bool(number and blocks and blocks[-1].splitlines()[-1].startswith(f"{number}. "))


def count_lines(blocks: Sequence[str]) -> int:
    return len([line for line in "\n".join(blocks).splitlines() if line.strip()])


def count_words(blocks: Sequence[str]) -> int:
    return len(" ".join(blocks).split())
