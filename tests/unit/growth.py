"""How the cost of a body grows, in CPU time."""

from __future__ import annotations

from collections.abc import Callable

# For four times the body: work that is linear grows by 4, and by 16 where it grows with the square.
MOST = 8.0


def least(growth: Callable[[], float]) -> float:
    """The growth, measured again where it is too large.

    A garbage search over all objects of the suite can stretch one measurement; the square stretches all.
    """
    return next((found for found in (growth() for _ in range(2)) if found < MOST), None) or growth()
