"""What changed, as a text to read and sign, as Markdown or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date

from tools.knowledge_diff.answers import Comparison
from tools.knowledge_diff.differences import Change, Section

FORMATS = ("text", "markdown", "json")
_WIDTH = 100
# A list of codes beyond this is cut in what people read; JSON has all of it.
_MOST_CODES = 80
_MOST_PROBLEMS = 12


@dataclass(frozen=True, slots=True)
class Version:
    """name: as it was asked for; revision: what that is; knowledge: the version that cards carry."""

    name: str
    revision: str
    knowledge: str


@dataclass(frozen=True, slots=True)
class Report:
    """comparison None: the earlier knowledge could not answer. problems, lent: see `Earlier`.

    by_programs: the answers are those of two programs, because the knowledge is of another model.
    """

    made_on: date
    before: Version
    after: Version
    sections: tuple[Section, ...]
    comparison: Comparison | None
    problems: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()
    by_programs: bool = False

    @property
    def differs(self) -> bool:
        """Something is written or answered differently, or could not be compared."""
        written = any(section.changes for section in self.sections)
        return written or self.comparison is None or bool(self.comparison.moved)

    def shown(self, form: str) -> str:
        """The report in one of FORMATS."""
        if form == "json":
            content = {"differs": self.differs, **asdict(self), "made_on": self.made_on.isoformat()}
            return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        lines = _Writer(form == "markdown").report(self)
        return "\n".join(lines).rstrip() + "\n"


class _Writer:
    def __init__(self, markdown: bool) -> None:
        self.markdown = markdown

    def heading(self, depth: int, text: str) -> Iterator[str]:
        if self.markdown:
            yield from ("#" * depth + " " + text, "")
        elif depth < 3:
            yield from (text, "=-"[depth - 1] * len(text), "")
        else:
            yield text

    def paragraph(self, text: str) -> Iterator[str]:
        yield from textwrap.wrap(text, _WIDTH)
        yield ""

    def report(self, report: Report) -> Iterator[str]:
        yield from self.heading(1, "What changed in the clinical knowledge")
        versions = [("Before", report.before), ("After", report.after)]
        for name, version in versions:
            yield from self.line(
                f"{name}: {version.name} ({version.revision}), knowledge {version.knowledge}"
            )
        yield from self.line(f"Compared on: {report.made_on}")
        yield from self.line(
            f"Written: {_count(sum(len(s.changes) for s in report.sections), 'place')} changed"
        )
        yield from self.line(f"Answered: {_answered(report.comparison)}")
        yield ""
        yield from self.problems(report)
        for section in report.sections:
            yield from self.section(section)
        yield from self.answers(report.comparison, report.by_programs)
        yield from self.heading(2, "Signature")
        yield from self.paragraph(
            "I have read what changed and the answers that moved, and find them clinically safe."
        )
        for name in ("Name", "Date", "Signature"):
            yield from (f"{name}: {'_' * 40}", "")

    def line(self, text: str) -> Iterator[str]:
        yield f"- {text}" if self.markdown else text

    def problems(self, report: Report) -> Iterator[str]:
        if report.lent:
            yield from self.heading(2, "Texts lent to the earlier knowledge")
            yield from self.paragraph(
                "It lacks texts that today's code says, or names what is not filled in now. They were "
                "lent from today's wording, so that they do "
                f"not show in every answer: {', '.join(report.lent)}."
            )
        if not report.problems:
            return
        yield from self.heading(2, "The earlier knowledge does not load with today's code")
        more = len(report.problems) - _MOST_PROBLEMS
        end = [f"! and {more} more, which --format json lists"] if more > 0 else []
        yield from self.block(iter([*(f"! {p}" for p in report.problems[:_MOST_PROBLEMS]), *end]))
        if report.comparison is None:
            yield from self.paragraph(
                "No answer could be compared: what follows is what is written, read from the files alone. "
                "To compare answers, run the earlier service on the same records."
            )
            return
        yield from self.paragraph(
            "The examples below were asked of the earlier program."
            if report.by_programs
            else "Its rows, codes and texts do, and the answers below were given with those."
        )

    def section(self, section: Section) -> Iterator[str]:
        if not section.changes:
            yield from self.heading(2, f"{section.title}: no change")
            return
        yield from self.heading(2, f"{section.title}: {_count(len(section.changes), 'change')}")
        yield from self.changes(section.changes)

    def changes(self, changes: tuple[Change, ...]) -> Iterator[str]:
        for change in changes:
            yield from self.heading(3, f"{change.place}: {_what(change)}")
            yield from self.block(self.both(change))

    def both(self, change: Change) -> Iterator[str]:
        if change.counted:
            for mark, codes in (("-", change.before), ("+", change.after)):
                shown = ", ".join(codes[:_MOST_CODES])
                more = len(codes) - _MOST_CODES
                shown += f" and {more} more, which --format json lists" if more > 0 else ""
                yield from (f"{mark} {part}" for part in textwrap.wrap(shown, _WIDTH, break_on_hyphens=False))
            return
        yield from (f"- {line}" for line in change.before)
        yield from (f"+ {line}" for line in change.after)

    def block(self, lines: Iterator[str]) -> Iterator[str]:
        if self.markdown:
            yield from ("```diff", *lines, "```", "")
        else:
            yield from (f"  {line}" for line in lines)
            yield ""

    def answers(self, comparison: Comparison | None, by_programs: bool) -> Iterator[str]:
        yield from self.heading(2, f"Answers: {_answered(comparison)}")
        if comparison is None:
            return
        yield from self.paragraph(
            "Each version was asked with its own code: what the code itself changed shows here too."
            if by_programs
            else "Both versions were asked with today's code: what the code itself changed is not shown here."
        )
        for kind, (subjects, records) in comparison.asked.items():
            count = len({moved.subject for moved in comparison.moved if moved.kind == kind})
            yield from self.line(
                f"{kind}: {subjects} asked about in {_count(records, 'record')}, {count} moved"
            )
        yield ""
        for moved in comparison.moved:
            yield from self.heading(3, f"{moved.kind}: {moved.subject} ({', '.join(moved.forms)})")
            for change in moved.changes:
                yield from self.paragraph(f"{change.place}:")
                yield from self.block(self.both(change))


def _answered(comparison: Comparison | None) -> str:
    if comparison is None:
        return "not compared"
    asked = sum(subjects for subjects, _ in comparison.asked.values())
    moved = len({(moved.kind, moved.subject) for moved in comparison.moved})
    return f"{moved} of {asked} moved" if moved else f"nothing moved, of {asked} compared"


def _what(change: Change) -> str:
    if change.counted:
        both = ((len(change.before), "removed"), (len(change.after), "added"))
        return ", ".join(f"{count} {word}" for count, word in both if count)
    if not change.before:
        return "added"
    return "changed" if change.after else "removed"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
