"""The files of analytes and units as look-up tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from fhir_mappings.code_systems import code_key, folded, name_key
from fhir_mappings.record import Band
from fhir_mappings.terminology import Adjustment, Analyte, FlagWords, ResultWords, Terminology, Units
from service.knowledge.loading import KnowledgeFiles


def units_of(files: KnowledgeFiles, raw: Mapping[str, Any]) -> Units:
    """Every spelling of a unit, folded and as its name is written; one of two units is a problem."""
    words = Units(raw["words"])
    names: dict[str, str] = {}
    for name, spellings in raw["units"].items():
        for spelling in (name, *map(words.folded, (name, *spellings))):
            if names.setdefault(spelling, name) != name:
                files.problem("units.yaml", name, f"{spelling} is {names[spelling]} too")
    return Units(raw["words"], names)


# Name of a list of flags -> what they mean: the band, and True for low, False for high.
_FLAGS: Mapping[str, tuple[Band, bool | None]] = {
    "normal": (Band.IN_RANGE, None),
    "high": (Band.OUT_OF_RANGE, False),
    "low": (Band.OUT_OF_RANGE, True),
    "abnormal": (Band.OUT_OF_RANGE, None),
    "critical": (Band.CRITICAL, None),
    "critical_high": (Band.CRITICAL, False),
    "critical_low": (Band.CRITICAL, True),
}


def _flags_of(files: KnowledgeFiles, raw: Mapping[str, Any]) -> FlagWords:
    """The flags; one of two meanings is a problem."""
    codes: dict[str, tuple[Band, bool | None]] = {}
    for name, meaning in _FLAGS.items():
        for code in map(folded, raw["codes"][name]):
            if codes.setdefault(code, meaning) != meaning or code in (*raw["neutral"], *raw["off_scale"]):
                files.problem("result_words.yaml", f"flags.codes.{name}", f"{code} has two meanings")
    return FlagWords(
        codes=codes,
        neutral=frozenset(map(folded, raw["neutral"])),
        off_scale={folded(code): comparator for code, comparator in raw["off_scale"].items()},
        marks=raw["marks"],
        alone=frozenset(raw["alone"]),
        **{name: frozenset(words) for name, words in raw["words"].items()},
    )


def result_words_of(files: KnowledgeFiles, raw: Mapping[str, Any]) -> ResultWords:
    """The words of result_words.yaml."""
    ranges = raw["ranges"]
    lists = {name: frozenset(ranges[name]) for name in ("usual", "none", "everybody", "adults")}
    return ResultWords(
        **lists,
        adult_years=ranges["adult_years"],
        sexes={sex: frozenset(words) for sex, words in ranges["sexes"].items()},
        nines_beyond=raw["nines_beyond"],
        other_fluids=frozenset(raw["other_fluids"]),
        labels=frozenset(raw["labels"]),
        flags=_flags_of(files, raw["flags"]),
    )


def analyte_names_of(
    files: KnowledgeFiles, raw: Mapping[str, Any], analytes: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Key of a name in each of its forms -> the analyte; a name of two analytes is a problem."""
    known = {analyte["id"] for analyte in analytes}
    found: dict[str, str] = {}
    for analyte, names in raw["names"].items():
        if analyte not in known:
            files.problem("analyte_names.yaml", analyte, "no analyte of analytes/")
        for key in (name_key(form.format(name)) for name in names for form in raw["forms"]):
            if found.setdefault(key, analyte) != analyte:
                files.problem("analyte_names.yaml", analyte, f"{key} is a name of {found[key]} too")
    return found


def analyte_of(
    files: KnowledgeFiles, raw: Mapping[str, Any], units: Units, words: ResultWords, names: frozenset[str]
) -> Analyte:
    """The analyte of one file of analytes/."""

    def number(text: str, place: str) -> Fraction:
        """The value of "0.5", or of a quotient such as "10/40.078"."""
        dividend, _, divisor = text.partition("/")
        try:
            return Fraction(dividend) / Fraction(divisor or "1")
        except (ValueError, ZeroDivisionError):
            files.problem(f"analytes/{raw['id']}.yaml", place, "not a number or a quotient of two")
            return Fraction(1)

    def limit(name: str, side: str) -> Decimal | None:
        text = (raw[name] or {}).get(side)
        if text is None:
            return None
        read = number(text, name)
        return Decimal(read.numerator) / Decimal(read.denominator)

    for unit in raw["units"]:
        if units.names.get(unit) != unit:
            files.problem(f"analytes/{raw['id']}.yaml", f"units.{unit}", "no unit of units.yaml")
    adjustment = raw["adjustment"]
    return Analyte(
        id=raw["id"],
        label=raw["label"],
        counts_as=raw["counts_as"] or raw["id"],
        unit=raw["unit"],
        units={unit: number(factor, f"units.{unit}") for unit, factor in raw["units"].items()},
        spellings=units,
        words=words,
        names=names,
        default_low=limit("default_range", "low"),
        default_high=limit("default_range", "high"),
        critical_low=limit("critical", "low"),
        critical_high=limit("critical", "high"),
        adjustment=adjustment
        and Adjustment(
            analyte=adjustment["analyte"],
            factor=number(adjustment["factor"], "adjustment.factor"),
            around=number(adjustment["around"], "adjustment.around"),
            adjusted=frozenset(code_key(c["system"], c["code"]) for c in adjustment["adjusted"]),
        ),
    )


def check_adjustments(files: KnowledgeFiles, terminology: Terminology) -> None:
    """Check that an adjustment names an analyte, and codes of its own."""
    for analyte in terminology.analytes.values():
        adjustment = analyte.adjustment
        if adjustment is None:
            continue
        file = f"analytes/{analyte.id}.yaml"
        if adjustment.analyte not in terminology.analytes:
            files.problem(file, "adjustment", f"no analyte {adjustment.analyte!r}")
        if any(terminology.analyte_codes.get(key) != analyte.id for key in adjustment.adjusted):
            files.problem(file, "adjustment", "adjusted: not a code of this analyte")
