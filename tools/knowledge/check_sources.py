"""Checks the place and hash of every claim against the documents, for a reader who has them.

    python -m tools.knowledge.check_sources FOLDER_OF_DOCUMENTS

Neither to run nor to test the service needs the documents. docs/claims.md describes the reading below.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from service.knowledge import HERE
from service.knowledge.claims import load_claims

# A line without a full stop at its end, not longer than this, is a heading or a table cell.
_HEADING = 100
_END = re.compile(r"(?<=[.!?])[\"”’')]*\s+(?=[\"“‘'(]*[A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Sentence:
    """number: from 1 through the document. heading_number: how many heading lines stand before it."""

    number: int
    heading_number: int
    text: str


def normalised(text: str) -> str:
    """NFKC, straight quotes and dashes, single blanks: what the hash is taken of."""
    text = unicodedata.normalize("NFKC", text)
    for curly, straight in (("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'"), ("–", "-"), ("—", "-")):
        text = text.replace(curly, straight)
    return " ".join(text.split())


def sentences_of(document: str) -> tuple[Sentence, ...]:
    """Every sentence of a document; a heading and a table cell count as one each."""
    found: list[Sentence] = []
    headings = 0
    for line in document.splitlines():
        if not line.strip():
            continue
        parts = [normalised(part) for part in _END.split(line.strip()) if part.strip()]
        if len(parts) == 1 and len(parts[0]) <= _HEADING and parts[0][-1] not in ".!":
            headings += 1
        found += [Sentence(len(found) + 1 + index, headings, part) for index, part in enumerate(parts)]
    return tuple(found)


def find(sentences: Sequence[Sentence], quote: str) -> tuple[Sentence, ...]:
    """The fewest neighbouring sentences that hold the quote; none if it is not there."""
    wanted = normalised(quote)
    for length in range(1, 8):
        for start in range(len(sentences) - length + 1):
            window = tuple(sentences[start : start + length])
            if wanted in " ".join(sentence.text for sentence in window):
                return window
    return ()


def main(args: list[str], out: TextIO = sys.stdout) -> int:
    """0 = every claim stands where its file says; else each that does not is named."""
    claims = load_claims(HERE)
    wrong = 0
    texts = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path.read_text(encoding="utf-8")
        for path in Path(args[0]).iterdir()
        if path.is_file()
    }
    for document in claims.documents.values():
        text = texts.get(document.sha256)
        if text is None:
            print(f"{document.id}: no file with its hash", file=out)
            wrong += 1
            continue
        sentences = {sentence.number: sentence for sentence in sentences_of(text)}
        for claim in claims.claims.values():
            if claim.document != document.id:
                continue
            joined = " ".join(sentences[n].text for n in claim.sentences if n in sentences)
            if hashlib.sha256(joined.encode()).hexdigest() != claim.sha256:
                print(f"{claim.id}: the sentence is not that of its hash", file=out)
                wrong += 1
    print(f"{len(claims.claims)} claims checked, {wrong} wrong", file=out)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
