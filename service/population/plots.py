"""Bar charts as inline SVG: no script, no colour alone, readable in print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABEL, _VALUE, _BAR, _STEP = 900, 400, 170, 16, 24
_LETTER = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """value None: hidden. parts: (CSS class, share of the value), stacked; by default one of class "bar"."""

    label: str
    value: float | None
    text: str
    parts: Sequence[tuple[str, float]] = (("bar", 1.0),)


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """A horizontal bar chart; each bar has its label and its value in words."""
    if not bars:
        return ""
    most = max((bar.value or 0 for bar in bars), default=0) or 1
    label = min(_LABEL, max(len(bar.label) for bar in bars) * _LETTER + 8)
    room = _WIDTH - label - _VALUE
    shapes = []
    for number, bar in enumerate(bars):
        top = number * _STEP
        middle = top + _BAR - 3
        shapes.append(
            f'<text x="{label - 8}" y="{middle}" text-anchor="end">{escape(_cut(bar.label))}</text>'
        )
        left = float(label)
        for style, share in bar.parts if bar.value else ():
            width = room * (bar.value or 0) / most * share
            shapes.append(
                f'<rect class="{style}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}"/>'
            )
            left += width
        shapes.append(f'<text x="{left + 6:.1f}" y="{middle}">{escape(bar.text)}</text>')
    height = len(bars) * _STEP
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}"'
        f' height="{height}">{"".join(shapes)}</svg>'
    )


def _cut(label: str, most: int = 64) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
