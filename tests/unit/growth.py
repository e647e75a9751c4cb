"""How the cost of a body grows, in CPU time."""

from __future__ import annotations

from collections.abc import Callable

# For four times the body: work that is linear grows by 4, and by 16 where it grows with the square.
MOST = 8.0


def least(growth: Callable[[], float]) -> float:
    """The growth, measured again where it is too large.

    A garbage search over all objects of the suite, or another process in the same cache, can stretch one
    measurement; the square stretches all.
    """
    found = growth()
    for _ in range(4):
        if found < MOST:
            break
        found = min(found, growth())
    return found
