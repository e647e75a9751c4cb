"""Names of recorded diagnoses: where a label covers several diseases, the words of the record itself."""

from __future__ import annotations

import re

from fhir_mappings.record import Finding, Status
from fhir_mappings.terminology import Terminology
from service.cards.escaping import escaped, short_name
from service.cards.text import counted, finding_name, small
from service.knowledge.wording import Wording

_MOST_NAMES = 2
# The last word of a disease is often its stage.
_MOST_WORDS = 6
# SNOMED CT ends the full name of a concept so.
_KIND_OF_CONCEPT = re.compile(r" \((?:disorder|finding|situation|procedure)\)$")
_WORD = re.compile(r"[^\W\d_]+")
_LONG_WORD_CHARACTERS = 5
# An entry without words has its code in their place.
_CODE = re.compile(r"\S*\d\S*|")


def recorded_name(finding: Finding, terminology: Terminology, wording: Wording) -> str:
    """The name of a finding, not escaped: of a label for several diseases the one that is recorded."""
    label = finding_name(finding.id, terminology, wording)
    if finding.id not in wording.own_words:
        return label
    present = [e for e in finding.evidence if e.status is Status.PRESENT]
    texts = [_KIND_OF_CONCEPT.sub("", e.text.strip()) for e in present if e.used] or [
        _KIND_OF_CONCEPT.sub("", e.text.strip()) for e in present
    ]
    names = {
        text.casefold(): small(short_name(text, _MOST_WORDS), wording.eponyms)
        for text in texts
        if not _CODE.fullmatch(text)
    }
    written = counted(list(names.values()), _MOST_NAMES, wording)
    if not written:
        return label
    if finding.id not in wording.synonyms_of:
        return written
    # A synonym that shares no word with the label would leave the reader to guess.
    words = {word for word in _WORD.findall(label.casefold()) if len(word) >= _LONG_WORD_CHARACTERS}
    shared = any(word in text for text in names for word in words)
    return written if shared else f"{written} ({label})"


def recorded_label(finding: Finding, terminology: Terminology, wording: Wording) -> str:
    """The same for the detail of a card."""
    return escaped(recorded_name(finding, terminology, wording))
