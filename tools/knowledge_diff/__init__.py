"""What changed between two versions of the knowledge: what is written, and what is answered.

Reads two knowledge folders as they are written, and asks two loaded ones the same cases; nothing here
decides. Above the pipeline, because the answers that moved are the part that a clinical safety officer
signs. The cases are given by whoever has patients: see tools/knowledge_diff/__main__.py.
"""

from tools.knowledge_diff.answers import Case, Comparison, Moved, compared
from tools.knowledge_diff.differences import Change, Section, differences
from tools.knowledge_diff.earlier import Earlier, earlier_knowledge
from tools.knowledge_diff.files import written
from tools.knowledge_diff.report import Report, Version

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
