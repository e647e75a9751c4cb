"""The vocabulary that the FHIR mapping and the decision share: frozen values without FHIR, HTTP or clock.

A finding is what was recorded, never a judgement. Days are calendar days as written, without time zones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """The status of a finding. Unknown is a value of its own, never absent."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Version(StrEnum):
    """A version of FHIR. R4 includes R4B: the members that are read are the same."""

    R4 = "R4"
    R5 = "R5"
    STU3 = "STU3"


class Basis(StrEnum):
    """How a finding came into the record.

    EXAMINED: an Observation of a clinician. LISTED: a Condition, on a problem list. REPORTED: by the patient
    or others, or not confirmed.
    """

    EXAMINED = "examined"
    LISTED = "listed"
    REPORTED = "reported"


class Plausible(StrEnum):
    """Whether a medicine can have anything to do with the twitch, by time, route and status."""

    YES = "yes"
    POSSIBLE = "possible"
    NO = "no"


class Band(StrEnum):
    """Position of a result by its own flag and range, else by the default range of its analyte."""

    IN_RANGE = "in-range"
    OUT_OF_RANGE = "out-of-range"
    CRITICAL = "critical"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True, slots=True)
class Days:
    """An imprecise day: the earliest and the latest day it can be. None = not bounded on that side."""

    earliest: date | None = None
    latest: date | None = None

    @property
    def known(self) -> bool:
        """True if at least one side is bounded."""
        return self.earliest is not None or self.latest is not None

    @property
    def exact(self) -> bool:
        """True if it is one certain day."""
        return self.earliest is not None and self.earliest == self.latest


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place in the record with a statement about a finding.

    reference: "Condition/abc", or "Bundle.entry[3].resource" where the resource has no id.
    expression: the FHIRPath that was read, such as "Condition.code".
    text: as written there; to be escaped where it is shown.
    used: False for history and for a record that a newer or better one overruled.
    history: ended, too old to count, or an acute state that is over.
    """

    reference: str
    expression: str
    text: str
    status: Status
    basis: Basis | None = None
    day: date | None = None
    used: bool = True
    history: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A sign, symptom, trigger or diagnosis, by all statements about it.

    id: a finding of the knowledge files. basis: of the status, present or absent. since: as it states.
    start: when it began, as far as is known: by its onset, else by its records and those of the twitch.
    suspected: present, but only provisional, differential or unconfirmed.
    worsening: by its own course: True worsening or spreading, False stable or improving, None not recorded.
    conflict: records disagree.
    first_examined: the earliest day on which it was examined and present.
    recorded: the day of the record that decided.
    """

    id: str
    status: Status = Status.UNKNOWN
    basis: Basis | None = None
    since: Days = Days()
    start: Days = Days()
    suspected: bool = False
    worsening: bool | None = None
    conflict: bool = False
    first_examined: date | None = None
    recorded: date | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A recorded body site of the twitch. region None: named, but counts as no region."""

    id: str
    label: str
    region: str | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Twitch:
    """All current fasciculation records taken together.

    onset: earliest of the records' onsets; recordedDate alone gives only the latest side.
    courses: ids such as "worsening", "spreading", "continuous", "intermittent", "stable", "improving",
    "persistent" (a pattern, not a duration); empty = no course recorded.
    onset_texts: onsetString as written. not_seen_lately: an Observation did not see it while a
    Condition is active (twitching is intermittent). in_words: its records have no known code, only words.
    first_recorded: the day of its first record.
    """

    status: Status = Status.UNKNOWN
    evidence: tuple[Evidence, ...] = ()
    onset: Days = Days()
    onset_texts: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    generalized: bool = False
    courses: frozenset[str] = frozenset()
    label: str = ""
    references: tuple[str, ...] = ()
    not_seen_lately: bool = False
    in_words: bool = False
    first_recorded: date | None = None

    @property
    def regions(self) -> frozenset[str]:
        """The regions of its sites: face, tongue, arms, legs, trunk."""
        return frozenset(site.region for site in self.sites if site.region is not None)

    @property
    def isolated_eyelid(self) -> bool:
        """A site is recorded and every one is an eyelid."""
        return bool(self.sites) and not self.generalized and all(s.id == "eyelid" for s in self.sites)


@dataclass(frozen=True, slots=True)
class Limits:
    """The range that a result was compared with, and its number in the unit of that range.

    own: the result's own range, else the default one of its analyte. unit: "" where none is written.
    """

    number: Decimal
    low: Decimal | None = None
    high: Decimal | None = None
    unit: str = ""
    own: bool = True


@dataclass(frozen=True, slots=True)
class Drug:
    """One ingredient (or one medicine that was not recognised), over all its records.

    classes: ids of the medication classes, empty if none. start: earliest possible start. end: latest
    possible end; None = not ended, as far as is recorded.
    current: not ended on the decision date. route_unknown: the class depends on a route not recorded.
    raises_potassium: an ACE inhibitor or angiotensin blocker, or not recognised at all.
    written: of a draft of one ingredient its name as written; "" where it has only a code.
    """

    name: str
    classes: frozenset[str] = frozenset()
    plausible: Plausible = Plausible.POSSIBLE
    why: str = ""
    reference: str = ""
    start: Days = Days()
    current: bool = True
    route_unknown: bool = False
    recognised: bool = True
    raises_potassium: bool = False
    end: Days | None = None
    written: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The newest result of one analyte (final), or a newer preliminary one.

    value: None where it is not a number; text: the value as written, with its comparator.
    unit: as written. low: True below, False above, None where not known. flag: as written. limits: the range
    that it was compared with, None where there is none.
    canonical: the value in the unit of its analyte. kind: of a calcium only: "ionised", "adjusted",
    "adjusted-by-albumin" or "total". measured: of a calcium adjusted by an albumin, the total as written
    (text is the adjusted number). albumin: the albumin that it was adjusted by, with its unit.
    """

    analyte: str
    text: str
    unit: str | None = None
    value: Decimal | None = None
    day: date | None = None
    flag: str | None = None
    band: Band = Band.NOT_JUDGED
    low: bool | None = None
    preliminary: bool = False
    reference: str = ""
    expression: str = "Observation.value"
    limits: Limits | None = None
    canonical: Decimal | None = None
    kind: str = ""
    measured: str = ""
    albumin: str = ""

    @property
    def outside(self) -> tuple[bool, bool, Decimal, str]:
        """A sort key of results of one analyte and band: the one furthest outside is the greatest.

        The lowest of low ones, the highest of high ones; where no side is known the lowest, which a limit of
        its own can be about. A low one goes before a high one, a number before words, "<15" before "15".
        """
        sunk = self.low is not False
        if self.canonical is None:
            return sunk, False, Decimal(0), self.text
        return sunk, True, -self.canonical if sunk else self.canonical, self.text


@dataclass(frozen=True, slots=True)
class Order:
    """An order on file, or a draft order. tests: recommendation ids and analytes of its codes."""

    tests: frozenset[str]
    day: date | None = None
    priority: str | None = None
    status: str = "active"
    reference: str = ""
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft order: in the context of the hook, not signed yet.

    tests: as those of an Order. drugs: its medicines, without times. selected: the one the user works on;
    the others are to be taken into account.
    """

    reference: str
    tests: frozenset[str] = frozenset()
    drugs: tuple[Drug, ...] = ()
    priority: str | None = None
    selected: bool = True


@dataclass(frozen=True, slots=True)
class Study:
    """A study that was done, or a consultation: emg, ncs, mri-brain, mri-spine or neurology-consultation."""

    id: str
    day: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient of the record. born: imprecise birth day. deceased: recorded as such.

    reference: how the submission refers to a patient without an id ("urn:uuid:…").
    """

    id: str | None = None
    born: Days = Days()
    sex: str | None = None
    deceased: bool = False
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A resource, or a part of one, that is ignored, unrecognised or invalid, and why (never its content).

    count: how many it stands for, where they are too many for a note each. in_words: of a record whose code
    is not known and whose words name a twitch.
    """

    reference: str
    why: str
    expression: str | None = None
    count: int = 1
    in_words: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """Everything of the patient that the decision reads, on one day.

    drafts: as the context lists them; those of tests are among the orders too. unread: entries that are
    unrecognised or invalid and may be the twitch. version: of FHIR, to answer in.
    """

    as_of: date
    patient: Patient = Patient()
    twitch: Twitch = Twitch()
    findings: Mapping[str, Finding] = field(default_factory=dict)
    drugs: tuple[Drug, ...] = ()
    results: tuple[Result, ...] = ()
    orders: tuple[Order, ...] = ()
    drafts: tuple[Draft, ...] = ()
    studies: tuple[Study, ...] = ()
    not_used: tuple[Note, ...] = ()
    not_understood: tuple[Note, ...] = ()
    not_seen: tuple[str, ...] = ()
    unread: tuple[Note, ...] = ()
    version: Version = Version.R4

    def finding(self, name: str) -> Finding:
        """The finding of that id; unknown if nothing is recorded about it."""
        return self.findings.get(name) or Finding(name)


@dataclass(frozen=True, slots=True)
class Reading:
    """Thresholds of the mapping, in days, from decision_table.yaml.

    finding_days: how long an Observation of a finding counts. future_days: a record dated more than this
    after the decision is ignored.
    symptom_before_onset_days: how long before the earliest onset of the twitch the Condition of a sign,
    symptom or trigger may be dated; symptom_days: how long before the decision.
    absence_before_record_days: how much older than the first record of the twitch an absence may be, where
    no onset is stated. acute_days: how long an acute state counts.
    """

    finding_days: int = 180
    future_days: int = 1
    symptom_before_onset_days: int = 180
    symptom_days: int = 730
    absence_before_record_days: int = 30
    acute_days: int = 7
