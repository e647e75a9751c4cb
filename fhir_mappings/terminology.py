"""The codes of the knowledge files as look-up tables, built once at start."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from fhir_mappings.code_systems import WORD, CodeKey
from fhir_mappings.record import Basis, Site, Status

_WORD_OF_UNIT = re.compile(r"[a-z]+")
_NOT_OF_UNIT = re.compile(r"[\s\[\]{}_^]+")
_LONGEST_UNIT = 60


@dataclass(frozen=True, slots=True)
class FindingDefinition:
    """One knowledge file of findings/. See its schema for the meaning of each member.

    kind: fasciculation, sign, symptom, trigger, diagnosis, family, shown (named, makes nothing present)
    or look-alike (recorded, and not a fasciculation).
    category: the Observation category of a recorded answer: "exam" or "survey"; None = not asked.
    answer: the code of that answer; answer_display: as its system calls it, "" where that is not known.
    chronic: does not end by remission or inactive. acute: a state that counts for days only.
    from_history: present from history too, unless refuted. near_twitch: counts only in a region of the
    twitch. only_lowers: its presence can only take an alarm away.
    neurological: counts in a family history.
    analyte, low: of an electrolyte disorder, which one and in which direction (None = not said).
    any_electrolyte: a disorder that names no electrolyte. specific: the finding that this one becomes where a
    region is recorded, and whose absence its own absence means. names: of a fasciculation, by `name_key`.
    """

    id: str
    label: str
    kind: str
    category: str | None = None
    question: str | None = None
    answer: CodeKey | None = None
    answer_display: str = ""
    chronic: bool = False
    acute: bool = False
    from_history: bool = False
    near_twitch: bool = False
    only_lowers: bool = False
    neurological: bool = False
    analyte: str | None = None
    low: bool | None = None
    any_electrolyte: bool = False
    specific: str | None = None
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FindingCode:
    """The meaning of one code: a finding, sometimes with a site or a basis of its own.

    acute: a state that counts for days only, though others of the finding do not.
    """

    finding: str
    sites: tuple[Site, ...] = ()
    basis: Basis | None = None
    acute: bool = False


@dataclass(frozen=True, slots=True)
class Adjustment:
    """How a total is adjusted: total + factor * (around - result of the analyte), in canonical units.

    adjusted: the codes whose results are adjusted already.
    """

    analyte: str
    factor: Fraction
    around: Fraction
    adjusted: frozenset[CodeKey]


@dataclass(frozen=True, slots=True)
class Units:
    """Units of results, whatever their spelling: units.yaml.

    words: word of a unit, in lower case -> its short form. names: spelling -> name of the unit.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, written: str) -> str:
        """The name of a unit; of an unknown one its folded spelling."""
        known = self.names.get(written)
        if known is None:
            spelling = self.folded(written)
            known = self.names.get(spelling, spelling)
        return known

    def folded(self, written: str) -> str:
        """A unit without regard to case, blanks, brackets, micro signs and words such as "per liter".

        >>> Units({"litre": "l"}).folded("µmol / Litre")
        'umol/l'
        """
        text = unicodedata.normalize("NFKC", written[:_LONGEST_UNIT]).casefold().replace("μ", "u")
        text = _WORD_OF_UNIT.sub(lambda match: self.words.get(match[0], match[0]), text)
        return _NOT_OF_UNIT.sub("", text).rstrip(".")


@dataclass(frozen=True, slots=True)
class ResultWords:
    """Words about results, folded: result_words.yaml. sexes: administrative sex -> its words in appliesTo."""

    usual: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()
    everybody: frozenset[str] = frozenset()
    adults: frozenset[str] = frozenset()
    adult_years: int = 0
    sexes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    nines_beyond: int = 0
    other_fluids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Analyte:
    """One knowledge file of analytes/.

    units: name of a unit -> exact factor to the canonical unit. spellings: of all units. words: of all
    results.
    counts_as: the analyte of a test action that a result of this one answers (ionised calcium: calcium).
    default_low/high and critical_low/high: in the canonical unit; None = no named source.
    """

    id: str
    label: str
    counts_as: str
    unit: str | None = None
    units: Mapping[str, Fraction] = field(default_factory=dict)
    spellings: Units = field(default_factory=Units)
    words: ResultWords = ResultWords()
    default_low: Decimal | None = None
    default_high: Decimal | None = None
    critical_low: Decimal | None = None
    critical_high: Decimal | None = None
    adjustment: Adjustment | None = None


@dataclass(frozen=True, slots=True)
class OrderCode:
    """The codings of an order for a test, study or referral: (system, code, display)."""

    id: str
    label: str
    codings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A drug ingredient in one class. route: the route group a code or term belongs to ("" = any)."""

    name: str
    medication_class: str
    route: str = ""
    route_decides: bool = False


def words_of(text: str) -> str:
    """The words of a text with single blanks, without other signs.

    >>> words_of("Isn't  taken: (x)")
    'isn t taken x'
    """
    return " ".join(WORD.findall(text.lower()))


@dataclass(frozen=True, slots=True)
class NotTaken:
    """What says that a medicine is not taken.

    anywhere: words of its name, between blanks. at_start, dosage: how its name, or the text of its dosage,
    begins. names: medicines whose own name begins so. codes: of an adherence.
    """

    anywhere: tuple[str, ...] = ()
    at_start: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    dosage: tuple[str, ...] = ()
    codes: frozenset[CodeKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Medications:
    """Drug matching tables.

    codes: RxNorm and SNOMED/dm+d (system, code) -> ingredients. ndc: 11 digits -> ingredients.
    atc: prefix -> ingredients. terms: lower-case name -> ingredients.
    routes: SNOMED route codes -> route group. form_words: word of a form or name -> route group.
    class_routes: the route groups of a class where one ingredient is in several.
    potassium_raising_atc, potassium_raising_stems: ATC prefixes and word endings of ACE inhibitors and
    angiotensin blockers. beginnings: the first word of every term and form word, to skip other words of a
    name. stems: the word endings for str.endswith. longest_atc: length of the longest ATC prefix.
    """

    codes: Mapping[CodeKey, tuple[Ingredient, ...]] = field(default_factory=dict)
    ndc: Mapping[str, tuple[Ingredient, ...]] = field(default_factory=dict)
    atc: Mapping[str, tuple[Ingredient, ...]] = field(default_factory=dict)
    terms: Mapping[str, tuple[Ingredient, ...]] = field(default_factory=dict)
    routes: Mapping[CodeKey, str] = field(default_factory=dict)
    form_words: Mapping[str, str] = field(default_factory=dict)
    class_routes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    class_labels: Mapping[str, str] = field(default_factory=dict)
    not_taken: NotTaken = NotTaken()
    potassium_raising_atc: frozenset[str] = frozenset()
    potassium_raising_stems: frozenset[str] = frozenset()
    beginnings: frozenset[str] = field(init=False)
    stems: tuple[str, ...] = field(init=False)
    longest_atc: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest_atc", max(map(len, self.atc), default=0))
        object.__setattr__(self, "stems", tuple(self.potassium_raising_stems))
        words = (WORD.match(term) for term in (*self.terms, *self.form_words))
        object.__setattr__(self, "beginnings", frozenset(word[0] for word in words if word))


@dataclass(frozen=True, slots=True)
class Certainty:
    """The certainty of a coded diagnosis, an extension of its coding.

    extension: its URL. verification, clinical: code -> the status of the Condition that it means.
    """

    extension: str = ""
    verification: Mapping[str, str] = field(default_factory=dict)
    clinical: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terminology:
    """All value sets of the knowledge files, by `code_key`.

    clinical, verification: statuses of a Condition beside the required ones; ("", word) for words.
    asked_for: codes that order that study, and in a Procedure prove nothing.
    studies: the procedures that are studies. completed_as: a referral -> the study that its completion is.
    panel_names: the procedure file that a panel's code stands in.
    procedure_labels: of every procedure file.
    """

    findings: Mapping[str, FindingDefinition] = field(default_factory=dict)
    finding_codes: Mapping[CodeKey, tuple[FindingCode, ...]] = field(default_factory=dict)
    finding_prefixes: Mapping[CodeKey, tuple[FindingCode, ...]] = field(default_factory=dict)
    sites: Mapping[CodeKey, Site] = field(default_factory=dict)
    sides: Mapping[CodeKey, str] = field(default_factory=dict)
    courses: Mapping[CodeKey, str] = field(default_factory=dict)
    answers: Mapping[CodeKey, Status] = field(default_factory=dict)
    clinical: Mapping[CodeKey, str] = field(default_factory=dict)
    verification: Mapping[CodeKey, str] = field(default_factory=dict)
    certainty: Certainty = Certainty()
    analytes: Mapping[str, Analyte] = field(default_factory=dict)
    analyte_codes: Mapping[CodeKey, str] = field(default_factory=dict)
    panels: Mapping[CodeKey, frozenset[str]] = field(default_factory=dict)
    procedures: Mapping[CodeKey, str] = field(default_factory=dict)
    studies: frozenset[str] = frozenset()
    completed_as: Mapping[str, str] = field(default_factory=dict)
    asked_for: Mapping[CodeKey, str] = field(default_factory=dict)
    panel_names: Mapping[CodeKey, str] = field(default_factory=dict)
    procedure_labels: Mapping[str, str] = field(default_factory=dict)
    tobacco_status: frozenset[CodeKey] = frozenset()
    # Known, and not read.
    left_out: frozenset[CodeKey] = frozenset()
    medications: Medications = field(default_factory=Medications)
    # The systems whose codes have families at all.
    _family_systems: frozenset[str] = field(init=False, repr=False)
    _longest_family: int = field(init=False, repr=False)
    # Key of a name -> the fasciculation, or the analyte, that it names; names: of either.
    twitch_names: Mapping[str, str] = field(init=False, repr=False)
    analyte_names: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        longest = max((len(code) for _, code in self.finding_prefixes), default=0)
        object.__setattr__(self, "_longest_family", longest)
        names = {name: finding.id for finding in self.findings.values() for name in finding.names}
        object.__setattr__(self, "twitch_names", names)
        object.__setattr__(self, "names", frozenset((*names, *self.analyte_names)))
        object.__setattr__(self, "_family_systems", frozenset(system for system, _ in self.finding_prefixes))

    def finding_of(self, key: CodeKey) -> tuple[FindingCode, ...]:
        """The findings of a code: exact, else of the longest prefix family (E11 covers E11.9)."""
        exact = self.finding_codes.get(key)
        if exact is not None:
            return exact
        system, code = key
        if system not in self._family_systems:
            return ()
        for length in range(min(len(code) - 1, self._longest_family), 2, -1):
            family = self.finding_prefixes.get((system, code[:length]))
            if family is not None:
                return family
        return ()
