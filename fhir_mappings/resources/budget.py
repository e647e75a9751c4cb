"""What one request may cost: counts that the mapping checks against the settings of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# Member of Budget -> its setting, and what it counts.
SETTING_OF = {
    "objects": ("MAX_OBJECTS", "JSON objects"),
    "entries": ("MAX_ENTRIES", "entries"),
    "references": ("MAX_REFERENCES", "references between Medications"),
    "drafts": ("MAX_DRAFTS", "draft orders"),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one request.

    objects, entries, references, drafts: more reject the request. objects: opening braces, also in texts.
    notes: more are counted. text: characters of a text that is searched for meaning; a longer one is not
    understood.
    """

    objects: int = 500_000
    entries: int = 200_000
    references: int = 10_000
    notes: int = 1_000
    drafts: int = 100
    text: int = 4_096

    def check_objects(self, body: bytes) -> None:
        """Raise OverBudget if the body has too many objects; one of fewer bytes than that is not searched."""
        if len(body) > self.objects:
            self.check("objects", body.count(b"{"))

    def check(self, name: str, count: int) -> None:
        """Raise OverBudget if the count is above that limit: objects, entries, references or drafts."""
        most: int = getattr(self, name)
        if count > most:
            raise OverBudget(name, most)


class OverBudget(Exception):
    """The request needs more than its budget. No InvalidBody: nothing that reads a part may go on."""

    def __init__(self, name: str, most: int) -> None:
        self.setting, what = SETTING_OF[name]
        super().__init__(f"The request has more than {most} {what}, the limit of {self.setting}: send fewer.")


_DEFAULT = Budget()
_budget: ContextVar[Budget] = ContextVar("budget", default=_DEFAULT)


def budget() -> Budget:
    """The budget of the request that is being answered; the defaults outside of one."""
    return _budget.get()


@contextmanager
def within(limits: Budget) -> Iterator[None]:
    """Answer a request within those limits."""
    token = _budget.set(limits)
    try:
        yield
    finally:
        _budget.reset(token)
