"""The codes of the knowledge files as look-up tables, built once at start."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Any

from fhir_mappings.code_systems import CodeKey
from fhir_mappings.medication_tables import Medications
from fhir_mappings.record import Band, Basis, Site, Status

_WORD_OF_UNIT = re.compile(r"[a-z]+")
_NOT_OF_UNIT = re.compile(r"[\s\[\]{}_^]+|\(\s*\)")
# "mmol L-1", "mmol.L-1": a product with the power -1 is a quotient.
_PER = re.compile(r"[\s.*]+([a-z]+)\^?-1(?!\d)")
_SIGNS_OF_UNIT = str.maketrans(
    {"μ": "u", "\u2212": "-", "\u2010": "-", "·": ".", "⋅": ".", "•": ".", "∙": ".", "×": "."}
)
# Of UCUM; it does not change the unit.
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_LONGEST_UNIT = 60


class Relevance(IntEnum):
    """How a resource can matter for the decision, by its code: the greater decides.

    UNDECIDED: it has no code that tells. FINDING: it may say something of a sign, symptom or disease.
    RESULT: of a result or study alone.
    """

    UNDECIDED = 0
    NONE = 1
    RESULT = 2
    FINDING = 3


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
            # First with its annotations: that of "mL/min/{1.73_m2}" matters.
            bare = self.folded(_ANNOTATION.sub("", written[:_LONGEST_UNIT]))
            known = self.names.get(spelling) or self.names.get(bare, spelling)
        return known

    def folded(self, written: str) -> str:
        """A unit without regard to case, blanks, brackets, micro signs and words such as "per liter".

        >>> Units({"litre": "l"}).folded("µmol / Litre"), Units().folded("mmol·L⁻¹")
        ('umol/l', 'mmol/l')
        """
        text = unicodedata.normalize("NFKC", written[:_LONGEST_UNIT]).casefold().translate(_SIGNS_OF_UNIT)
        text = _WORD_OF_UNIT.sub(lambda match: self.words.get(match[0], match[0]), text)
        return _NOT_OF_UNIT.sub("", _PER.sub(r"/\1", text)).rstrip(".,;")


@dataclass(frozen=True, slots=True)
class FlagWords:
    """The flags of a result, folded.

    codes: whole flag -> band, and True for low, False for high. neutral: flags that are neither normal nor
    abnormal. off_scale: flag -> the comparator that it means. marks: signs around a flag, without blanks.
    alone: signs that by themselves mean abnormal. The others are single words.
    """

    codes: Mapping[str, tuple[Band, bool | None]] = field(default_factory=dict)
    neutral: frozenset[str] = frozenset()
    off_scale: Mapping[str, str] = field(default_factory=dict)
    marks: str = ""
    alone: frozenset[str] = frozenset()
    high: frozenset[str] = frozenset()
    low: frozenset[str] = frozenset()
    critical: frozenset[str] = frozenset()
    abnormal: frozenset[str] = frozenset()
    normal: frozenset[str] = frozenset()
    between: frozenset[str] = frozenset()
    fillers: frozenset[str] = frozenset()
    vocabulary: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        judging = self.high | self.low | self.critical | self.abnormal | self.normal
        object.__setattr__(self, "vocabulary", judging | self.between | self.fillers)


@dataclass(frozen=True, slots=True)
class ResultWords:
    """Words about results, folded: result_words.yaml.

    sexes: administrative sex -> its words in appliesTo. labels: words before a value in text.
    """

    usual: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()
    everybody: frozenset[str] = frozenset()
    adults: frozenset[str] = frozenset()
    adult_years: int = 0
    sexes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    nines_beyond: int = 0
    other_fluids: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    flags: FlagWords = FlagWords()


@dataclass(frozen=True, slots=True)
class Analyte:
    """One knowledge file of analytes/.

    units: name of a unit -> exact factor to the canonical unit. spellings: of all units. words: of all
    results. names: of the analyte, folded; a value in text may begin with one.
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
    names: frozenset[str] = frozenset()
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
class Certainty:
    """The certainty of a coded diagnosis, an extension of its coding.

    extension: its URL. verification, clinical: code -> the status of the Condition that it means.
    """

    extension: str = ""
    verification: Mapping[str, str] = field(default_factory=dict)
    clinical: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormItem:
    """An item of the form that is not about a finding.

    type: date, sites or courses. since: the finding that began on the day of the answer. is_read: False of
    one that is only filled in.
    """

    type: str
    since: str | None = None
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """The published Questionnaire. The linkId of a finding is its id.

    canonical: without a version. items: the others, by linkId. links: question of the table -> its linkId.
    sites, courses: by their display, in lower case. section: `questionnaire` of fhir.yaml, to draw it from.
    """

    canonical: str = ""
    items: Mapping[str, FormItem] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    courses: Mapping[str, str] = field(default_factory=dict)
    section: Mapping[str, Any] = field(default_factory=dict)


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
    form: Form = Form()
    # Every code, but for the families of findings.
    codes: Mapping[CodeKey, Relevance] = field(init=False, repr=False)
    # The systems whose codes have families at all.
    _family_systems: frozenset[str] = field(init=False, repr=False)
    _longest_family: int = field(init=False, repr=False)
    # The findings that are the twitch.
    twitches: frozenset[str] = field(init=False, repr=False)
    # Key of a name -> the fasciculation, or the analyte, that it names.
    twitch_names: Mapping[str, str] = field(init=False, repr=False)
    analyte_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        longest = max((len(code) for _, code in self.finding_prefixes), default=0)
        object.__setattr__(self, "_longest_family", longest)
        twitches = frozenset(name for name, one in self.findings.items() if one.kind == "fasciculation")
        object.__setattr__(self, "twitches", twitches)
        names = {name: finding.id for finding in self.findings.values() for name in finding.names}
        object.__setattr__(self, "twitch_names", names)
        object.__setattr__(self, "_family_systems", frozenset(system for system, _ in self.finding_prefixes))
        relevance: dict[CodeKey, Relevance] = {}
        for results in (self.analyte_codes, self.panels, self.procedures):
            relevance |= dict.fromkeys(results, Relevance.RESULT)
        for findings in (self.finding_codes, self.tobacco_status):
            relevance |= dict.fromkeys(findings, Relevance.FINDING)
        # A family of findings has codes of its own.
        relevance |= {key: Relevance.FINDING for key in relevance if self.finding_of(key)}
        object.__setattr__(self, "codes", relevance)

    def relevance(self, key: CodeKey) -> Relevance:
        """How what has that code can matter; never undecided."""
        return self.codes.get(key) or (Relevance.FINDING if self.finding_of(key) else Relevance.NONE)

    def knows(self, keys: Collection[CodeKey]) -> bool:
        """Whether a value set of findings, results, studies or tobacco has one of the codes."""
        return not self.codes.keys().isdisjoint(keys) or any(map(self.finding_of, keys))

    def named(self, name: str) -> Relevance:
        """How what has that name can matter, by `name_key`; undecided where it is none that is known."""
        if name in self.twitch_names:
            return Relevance.FINDING
        return Relevance.RESULT if name in self.analyte_names else Relevance.UNDECIDED

    def qualifies(self, key: CodeKey) -> bool:
        """Whether it is the code of a course or of a body site."""
        return key in self.courses or key in self.sites

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
