"""What the store really holds, read without the service."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from service.feedback.store import engine_of
from tests.faults.load import Item
from tests.faults.tally import Stored

_QUERY = """SELECT f.card, f.at, count(DISTINCT f.id), count(a.suggestion) FROM feedback f
LEFT JOIN accepted_suggestion a ON a.feedback = f.id GROUP BY f.card, f.at"""


def stored(url: str, items: Sequence[Item]) -> Stored:
    """How the acknowledged items are found there."""
    with engine_of(url, 30).connect() as connection:
        rows = connection.execute(text(_QUERY)).all()
    found: dict[tuple[str, datetime], tuple[int, int]] = {
        (card, _time(at)): (count, suggestions) for card, at, count, suggestions in rows
    }
    expected = Counter((item.card, _time(item.at)) for item in items)
    taken: dict[tuple[str, datetime], int] = defaultdict(int)
    for item in items:
        taken[item.card, _time(item.at)] = len(set(item.suggestions))
    return Stored(
        acknowledged=len(items),
        lost=sum(key not in found for key in expected),
        # Also of what was never acknowledged: nothing at all may stand there twice.
        twice=sum(count > 1 for count, _ in found.values()),
        torn=sum(found[key][1] != taken[key] for key in expected if key in found),
    )


def _time(written: str | datetime) -> datetime:
    return written if isinstance(written, datetime) else datetime.fromisoformat(written)
