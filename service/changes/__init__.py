"""What changed between two versions of the knowledge: what is written, and what is answered.

Reads two knowledge folders as they are written, and asks two loaded ones the same cases; nothing here
decides. Above the pipeline, because the answers that moved are the part that a clinical safety officer
signs. The cases are given by whoever has patients: see tests/vignettes/changes.py.
"""

from service.changes.answers import Case, Comparison, Moved, compared
from service.changes.differences import Change, Section, differences
from service.changes.earlier import Earlier, earlier_knowledge
from service.changes.files import written
from service.changes.report import Report, Version

__all__ = [
    "Case",
    "Change",
    "Comparison",
    "Earlier",
    "Moved",
    "Report",
    "Section",
    "Version",
    "compared",
    "differences",
    "earlier_knowledge",
    "written",
]
