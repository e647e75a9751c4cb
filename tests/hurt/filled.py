"""Resources whose members are filled, one after another, with more than a record would hold.

The members are those of the shapes, found by introspection: a new member is filled without a change here.
"""

from __future__ import annotations

import inspect
import random
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import msgspec

from fhir_mappings.resources import shapes
from tests.hurt.sending import Resource, Shape
from tests.spec.forms import FORM
from tests.spec.records import code_of, condition, observation
from tests.unit.bodies import medicine, result, study, twitching

# Shape -> a resource that is read to its end, which the members of the shape fill.
_BASES: dict[type, Sequence[Resource]] = {
    shapes.Patient: ({"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"},),
    shapes.Condition: (condition("fasciculation", id="x"), condition("weakness", id="x")),
    shapes.Observation: (observation("weakness", id="x", valueBoolean=True), {**result("4.1"), "id": "x"}),
    shapes.BodyStructure: ({"resourceType": "BodyStructure", "id": "x"},),
    shapes.Medication: ({"resourceType": "Medication", "id": "x", "code": {"text": "enalapril"}},),
    shapes.MedicationRequest: ({**medicine(0, "furosemide"), "id": "x"},),
    shapes.MedicationStatement: (
        {**medicine(0, "furosemide"), "id": "x", "resourceType": "MedicationStatement"},
    ),
    shapes.ServiceRequest: ({**study(0), "id": "x"},),
    shapes.Task: (
        {"resourceType": "Task", "id": "x", "status": "requested", "for": {"reference": "Patient/p"}},
    ),
    shapes.Procedure: ({**study(0), "id": "x", "resourceType": "Procedure", "status": "completed"},),
    shapes.DiagnosticReport: (
        {**study(0), "id": "x", "resourceType": "DiagnosticReport", "status": "final"},
    ),
    shapes.FamilyMemberHistory: (
        {
            "resourceType": "FamilyMemberHistory",
            "id": "x",
            "status": "completed",
            "patient": {"reference": "Patient/p"},
        },
    ),
    shapes.QuestionnaireResponse: (
        {
            "resourceType": "QuestionnaireResponse",
            "id": "x",
            "status": "completed",
            "questionnaire": FORM["url"],
            "subject": {"reference": "Patient/p"},
        },
    ),
}
_MAX_DEPTH = 5
_CODING = code_of("fasciculation")["coding"][0]
_CONTAINED = {"resourceType": "Medication", "id": "c", "code": {"text": "enalapril"}}
# Pieces of long strings: each is repeated.
PIECES = ("x", " ", "1", "1 ", "a ", "fml ", "< ", "-", "2026-", ".", ",", "/", "#", "(", "é", "\n", "days ")
# Items of long lists, beside one that has the shape.
ITEMS: tuple[Any, ...] = (None, 5, "", {}, [], {"id": "x"}, [[]], True, 0.1)
# What a small member holds in each of many resources.
ODD: tuple[Any, ...] = (*ITEMS, "x", "2026-13-45", -1, 1e300)


@dataclass(frozen=True)
class Step:
    """A member on the way to another. many: it is a list. shape: of what it holds; None: no Struct."""

    name: str
    many: bool
    shape: Any = None
    text: bool = False


Path = tuple[Step, ...]


def resource_shapes() -> list[type]:
    """The Structs of resources: those that no other Struct holds."""
    found = [
        value
        for _, value in inspect.getmembers(shapes, inspect.isclass)
        if issubclass(value, msgspec.Struct) and value.__module__ == shapes.__name__
    ]
    held = {step.shape for shape in found for step in _steps(shape)}
    bases = {base for shape in found for base in shape.__mro__[1:]}
    return [shape for shape in found if shape not in held and shape not in bases]


def _parts(annotation: Any) -> Iterator[Any]:
    """The types of a union."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _steps(shape: type) -> Iterator[Step]:
    hints = typing.get_type_hints(shape)
    for member in msgspec.structs.fields(shape):
        for part in _parts(hints[member.name]):
            many = typing.get_origin(part) is list
            for inner in _parts(typing.get_args(part)[0]) if many else (part,):
                if inner is not type(None):
                    is_struct = inspect.isclass(inner) and issubclass(inner, msgspec.Struct)
                    yield Step(member.encode_name, many, inner if is_struct else None, inner is str)


@cache
def paths(shape: type, depth: int = 0) -> tuple[Path, ...]:
    """Every way from a resource to a member that is read, members on the way included."""
    found: list[Path] = []
    for step in _steps(shape):
        found.append((step,))
        if step.shape is not None and depth < _MAX_DEPTH:
            found += [(step, *inner) for inner in paths(step.shape, depth + 1)]
    return tuple(found)


def _at(path: Path, value: Any, often: int = 1, lengthened: int = -1) -> Resource:
    """The members that lead to the value. often: the length of the list of that number on the path."""
    made = value
    for number in range(len(path) - 1, -1, -1):
        step = path[number]
        if step.many and number < len(path) - 1:
            made = [made] * (often if number == lengthened else 1)
        made = {step.name: made}
    return typing.cast(Resource, made)


def _merged(base: Resource, members: Resource) -> Resource:
    """The base with the members; the members of a member that is an object are merged too."""
    made = dict(base)
    for name, value in members.items():
        before = made.get(name)
        both = isinstance(before, dict) and isinstance(value, dict)
        made[name] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return made


def _item(step: Step, chance: random.Random) -> Any:
    """What a member of that shape may hold; a member is enough."""
    if step.shape is None:
        return "x" if step.text else chance.choice((_CONTAINED, "x", 1))
    if step.shape is shapes.Coding:
        return _CODING
    if issubclass(step.shape, shapes.CodeableConcept | shapes.ConceptOrReference):
        return chance.choice((code_of("fasciculation"), code_of("hand"), {"text": "furosemide"}))
    if step.shape is shapes.Reference:
        return {"reference": chance.choice(("Medication/x", "BodyStructure/x", "Patient/p", "#c"))}
    inner = [inner for inner in _steps(step.shape) if inner.shape is not step.shape]
    member = chance.choice(inner)
    made = _item(member, chance)
    return {member.name: [made] if member.many else made}


def _name(shape: type, path: Path) -> str:
    return ".".join([shape.__name__, *(step.name + ("[]" if step.many else "") for step in path)])


def _often(item: Any, size: int) -> int:
    return max(1, size // (len(str(item)) + 1))


def _filled_member(chance: random.Random, size: int) -> tuple[str, Shape]:
    """One resource of which one member is as large as the body; or many of which one is odd."""
    shape = chance.choice(resource_shapes())
    base = chance.choice(_BASES[shape])
    path = chance.choice(paths(shape))
    name, last = _name(shape, path), path[-1]
    kind = chance.choice(("string", "number", "list", "parts", "many"))
    if kind == "string":
        piece = chance.choice(PIECES)
        text = piece * (size // len(piece.encode()))
        value: Any = [text] if last.many else text
        return f"{name} = {piece!r} * n", _beside(shape, _merged(base, _at(path, value)))
    if kind == "number":
        value = int("1" * min(size, 4_000))
        value = [value] * (size // 4_000) if last.many else value
        return f"{name} = a long number", _beside(shape, _merged(base, _at(path, value)))
    item = chance.choice((*ITEMS, *[_item(last, chance) for _ in range(6)]))
    if kind == "list":
        value = [item] * _often(item, size)
        return f"{name} = {_short(item)} * n", _beside(shape, _merged(base, _at(path, value)))
    lists = [number for number, step in enumerate(path[:-1]) if step.many]
    odd = chance.choice((*ODD, [item], item))
    if kind == "parts" and lists:
        number = chance.choice(lists)
        part = _at(path[number + 1 :], odd)
        value = _at(path, odd, _often(part, size), number)
        return f"{name}, n parts of {_short(odd)}", _beside(shape, _merged(base, value))
    made = _merged(base, _at(path, odd))
    return f"n x {name} = {_short(odd)}", Shape([twitching(), *_copies(made, size)])


def _filled_pair(chance: random.Random, size: int) -> tuple[str, Shape]:
    """One resource of which two lists are half as large as the body each."""
    shape = chance.choice([shape for shape in resource_shapes() if len(_lists(shape)) > 1])
    base = chance.choice(_BASES[shape])
    first, second = chance.choice(list(combinations(_lists(shape), 2)))
    made = base
    for path in (first, second):
        item = _item(path[-1], chance)
        made = _merged_lists(made, _at(path, [item] * _often(item, size // 2)))
    return f"{_name(shape, first)} and {_name(shape, second)}", _beside(shape, made)


def _lists(shape: type) -> list[Path]:
    return [path for path in paths(shape) if path[-1].many and len(path) < _MAX_DEPTH]


def _merged_lists(base: Resource, members: Resource) -> Resource:
    """`_merged`, and of two lists both, the first of each merged where they are objects."""
    made = dict(base)
    for name, value in members.items():
        before = made.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            made[name] = _merged_lists(before, value)
        elif isinstance(before, list) and isinstance(value, list) and before and value:
            heads = before[0], value[0]
            both = all(isinstance(head, dict) for head in heads)
            made[name] = [*([_merged_lists(*heads)] if both else heads), *before[1:], *value[1:]]
        else:
            made[name] = value
    return made


def _referring(chance: random.Random, size: int) -> tuple[str, Shape]:
    """Many resources that refer to one, of which a list is as long as there is room."""
    holder = chance.choice(resource_shapes())
    references = [path for path in paths(holder) if path[-1].shape is shapes.Reference]
    if not references:
        return _filled_member(chance, size)
    target = chance.choice(resource_shapes())
    path, filled = chance.choice(references), chance.choice(_lists(target) or paths(target))
    resource = chance.choice(_BASES[target])
    item = _item(filled[-1], chance)
    large = _merged_lists(resource, _at(filled, [item] * _often(item, size // 2)))
    to = {"reference": f"{resource['resourceType']}/{resource['id']}"}
    base = {
        member: value
        for member, value in chance.choice(_BASES[holder]).items()
        if not member.startswith("medication")
    }
    often = chance.choice((1, 10, size // 200))
    value = [to] * often if path[-1].many else to
    one = _merged(base, _at(path, value))
    entries = [twitching(), large, *_copies(one, size // 2)]
    return f"n x {_name(holder, path)} -> {_name(target, filled)} (x{often})", Shape(entries)


def _copies(made: Resource, size: int) -> list[Resource]:
    return [{**made, "id": f"x{number}"} for number in range(_often(made, size))]


def _beside(shape: type, made: Resource) -> Shape:
    """With a twitch, and for what is read only where another resource refers to it, with one that does."""
    to = {"reference": f"{made.get('resourceType')}/x"}
    beside = [twitching()]
    if shape is shapes.Medication:
        base = {name: value for name, value in medicine(1, "").items() if name != "medicationCodeableConcept"}
        beside.append({**base, "medicationReference": to})
    if shape is shapes.BodyStructure:
        beside.append(observation("fasciculation", id="o", valueBoolean=True, bodyStructure=to))
    return Shape([*beside, made])


def _short(item: Any) -> str:
    text = str(item)
    return text if len(text) < 50 else text[:47] + "..."


def filled(seed: int, count: int, size: int, ways: Sequence[str]) -> Iterator[tuple[str, str, Shape]]:
    """Name, way and shape of so many bodies. The seed repeats them."""
    for made in range(count):
        # Each has a seed of its own, so that one alone can be made again.
        chance = random.Random(f"{seed} {made}")
        make = chance.choices((_filled_member, _filled_pair, _referring), (6, 2, 2))[0]
        name, shape = make(chance, size)
        yield f"{seed}/{made} {name}", chance.choice(ways), shape
