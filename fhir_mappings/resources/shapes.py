"""The members that the mapping reads of each FHIR resource, as typed Structs. Other members are skipped.

Names are FHIR's own. The shapes are those of R4 and R4B; where R5 or STU3 differ, both are here:
docs/fhir-versions.md lists them. A member typed Raw only identifies the version (fhir_version.py).
"""

from __future__ import annotations

import msgspec

NOT_THERE = msgspec.Raw(b"null")
# What msgspec raises for what is not JSON of the shape.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def is_not_utf_8(error: Exception) -> bool:
    """Whether it says that bytes are no UTF-8: msgspec does in words since 0.23."""
    return isinstance(error, UnicodeDecodeError) or str(error) == "Invalid UTF-8 encoded string"


class Struct(msgspec.Struct, gc=False):
    """A shape."""


class Coding(Struct):
    system: str | None = None
    code: str | None = None
    display: str | None = None
    extension: msgspec.Raw = NOT_THERE


class CodeableConcept(Struct):
    coding: list[Coding | None] | None = None
    text: str | None = None


class LooseConcept(CodeableConcept):
    """Client systems send one Coding in its place."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class ValueConcept(CodeableConcept):
    """The value of an Observation; an extension may say why there is none."""

    extension: msgspec.Raw = NOT_THERE


class Reference(Struct):
    reference: str | None = None
    type: str | None = None
    identifier: msgspec.Raw = NOT_THERE
    display: str | None = None


class CodeableReference(Struct):
    """R5."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class ConceptOrReference(Struct):
    """A code that is a CodeableConcept in R4 and STU3, a CodeableReference in R5."""

    coding: list[Coding | None] | None = None
    text: str | None = None
    concept: CodeableConcept | None = None
    reference: msgspec.Raw = NOT_THERE

    @property
    def concepts(self) -> tuple[CodeableConcept, ...]:
        """The concepts of either shape."""
        own = CodeableConcept(self.coding, self.text)
        return (own,) if self.concept is None else (own, self.concept)


class Period(Struct):
    start: str | None = None
    end: str | None = None


class Quantity(Struct):
    value: msgspec.Raw = NOT_THERE  # decoded as Decimal, so that 4.10 stays 4.10
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None
    extension: msgspec.Raw = NOT_THERE


class Range(Struct):
    low: Quantity | None = None
    high: Quantity | None = None


class Extension(Struct):
    url: str | None = None
    valueCoding: Coding | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueDateTime: str | None = None


class Patient(Struct):
    id: str | None = None
    identifier: msgspec.Raw = NOT_THERE
    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None
    active: bool | None = None


class Participant(Struct):
    """R5."""

    actor: Reference | None = None


class Condition(Struct):
    id: str | None = None
    subject: Reference | None = None
    patient: Reference | None = None  # DSTU2 spelling, seen in the field
    code: CodeableConcept | None = None
    clinicalStatus: LooseConcept | str | None = None
    verificationStatus: LooseConcept | str | None = None
    # A code or a single concept, as examples of the hook that adds a problem have it.
    category: list[CodeableConcept | str | None] | CodeableConcept | str | None = None
    bodySite: list[CodeableConcept | None] | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    onsetAge: Quantity | None = None
    onsetRange: Range | None = None
    onsetString: str | None = None
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    abatementAge: Quantity | None = None
    abatementRange: Range | None = None
    abatementString: str | None = None
    abatementBoolean: bool | None = None
    recordedDate: str | None = None
    assertedDate: str | None = None  # STU3
    asserter: Reference | None = None
    participant: list[Participant | None] | None = None  # R5
    context: msgspec.Raw = NOT_THERE  # STU3
    extension: list[Extension | None] | None = None
    contained: list[msgspec.Raw] | None = None
    modifierExtension: list[Extension | None] | None = None


class Timing(Struct):
    class Repeat(Struct):
        boundsPeriod: Period | None = None

    repeat: Repeat | None = None
    event: list[str | None] | None = None


class ReferenceRange(Struct):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    appliesTo: list[CodeableConcept | None] | None = None
    age: Range | None = None
    text: str | None = None


OTHER_VALUES = ("value", "valueCoding", "valueCode", "valueDecimal", "valueDate", "valueInstant", "valueUri")


class Value(Struct):
    """What an Observation and a component have in common. A value typed Raw is not understood."""

    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: ValueConcept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueRange: msgspec.Raw = NOT_THERE
    valueDateTime: msgspec.Raw = NOT_THERE
    valueRatio: msgspec.Raw = NOT_THERE
    valueSampledData: msgspec.Raw = NOT_THERE
    valueTime: msgspec.Raw = NOT_THERE
    valuePeriod: msgspec.Raw = NOT_THERE
    valueReference: msgspec.Raw = NOT_THERE  # R5
    valueAttachment: msgspec.Raw = NOT_THERE  # R5 and STU3
    # Extensions of a value.
    booleanElement: msgspec.Raw = msgspec.field(default=NOT_THERE, name="_valueBoolean")
    stringElement: msgspec.Raw = msgspec.field(default=NOT_THERE, name="_valueString")
    integerElement: msgspec.Raw = msgspec.field(default=NOT_THERE, name="_valueInteger")
    conceptElement: msgspec.Raw = msgspec.field(default=NOT_THERE, name="_valueCodeableConcept")
    quantityElement: msgspec.Raw = msgspec.field(default=NOT_THERE, name="_valueQuantity")
    # No version of FHIR has these; client systems send them.
    value: msgspec.Raw = NOT_THERE
    valueCoding: msgspec.Raw = NOT_THERE
    valueCode: msgspec.Raw = NOT_THERE
    valueDecimal: msgspec.Raw = NOT_THERE
    valueDate: msgspec.Raw = NOT_THERE
    valueInstant: msgspec.Raw = NOT_THERE
    valueUri: msgspec.Raw = NOT_THERE
    modifierExtension: list[Extension | None] | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: list[LooseConcept | None] | LooseConcept | None = None
    referenceRange: list[ReferenceRange | None] | None = None


class Component(Value):
    """A part of an Observation."""


class Related(Struct):
    """STU3: R4's derivedFrom or hasMember, by its type."""

    type: str | None = None
    target: Reference | None = None


class BodyStructure(Struct):
    """R5. An Observation may refer to it instead of a body site."""

    class Included(Struct):
        structure: CodeableConcept | None = None
        laterality: CodeableConcept | None = None

    id: str | None = None
    resourceType: str | None = None
    includedStructure: list[Included | None] | None = None


class Observation(Value):
    id: str | None = None
    status: str | None = None
    subject: Reference | None = None
    focus: msgspec.Raw = NOT_THERE
    category: list[CodeableConcept | None] | None = None
    bodySite: CodeableConcept | None = None
    effectiveDateTime: str | None = None
    effectiveInstant: str | None = None
    effectivePeriod: Period | None = None
    effectiveTiming: Timing | None = None
    issued: str | None = None
    performer: list[Reference | None] | None = None
    derivedFrom: list[Reference | None] | None = None
    hasMember: msgspec.Raw = NOT_THERE
    related: list[Related | None] | None = None  # STU3
    bodyStructure: Reference | None = None  # R5
    specimen: Reference | None = None
    component: list[Component | None] | None = None
    extension: list[Extension | None] | None = None
    contained: list[msgspec.Raw] | None = None
    context: msgspec.Raw = NOT_THERE  # STU3
    comment: msgspec.Raw = NOT_THERE  # STU3
    triggeredBy: msgspec.Raw = NOT_THERE  # R5
    instantiatesCanonical: msgspec.Raw = NOT_THERE  # R5
    instantiatesReference: msgspec.Raw = NOT_THERE  # R5


class Dosage(Struct):
    text: str | None = None
    route: CodeableConcept | None = None
    timing: Timing | None = None


class MedicationIngredient(Struct):
    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    item: CodeableReference | None = None  # R5


class Medication(Struct):
    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    identifier: msgspec.Raw = NOT_THERE
    # A Substance of R5 has a reference here.
    code: ConceptOrReference | None = None
    form: CodeableConcept | None = None
    doseForm: CodeableConcept | None = None  # R5
    ingredient: list[MedicationIngredient | None] | None = None
    contained: list[msgspec.Raw] | None = None


class DispenseRequest(Struct):
    validityPeriod: Period | None = None
    expectedSupplyDuration: Quantity | None = None
    numberOfRepeatsAllowed: msgspec.Raw = NOT_THERE


class MedicationRequest(Struct):
    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    intent: str | None = None
    subject: Reference | None = None
    doNotPerform: bool | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None  # R5
    authoredOn: str | None = None
    effectiveDosePeriod: Period | None = None  # R5
    dosageInstruction: list[Dosage | None] | None = None
    dispenseRequest: DispenseRequest | None = None
    priorPrescription: msgspec.Raw = NOT_THERE
    reportedBoolean: msgspec.Raw = NOT_THERE
    reportedReference: msgspec.Raw = NOT_THERE
    extension: msgspec.Raw = NOT_THERE
    contained: list[msgspec.Raw] | None = None
    reason: msgspec.Raw = NOT_THERE  # R5
    reported: msgspec.Raw = NOT_THERE  # R5
    renderedDosageInstruction: msgspec.Raw = NOT_THERE  # R5
    context: msgspec.Raw = NOT_THERE  # STU3


class Adherence(Struct):
    """R5."""

    code: CodeableConcept | None = None


class MedicationStatement(Struct):
    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    subject: Reference | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None  # R5
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveTiming: Timing | None = None  # R5
    dateAsserted: str | None = None
    dosage: list[Dosage | None] | None = None
    taken: str | None = None  # STU3
    adherence: Adherence | None = None  # R5
    extension: msgspec.Raw = NOT_THERE
    contained: list[msgspec.Raw] | None = None
    reason: msgspec.Raw = NOT_THERE  # R5
    renderedDosageInstruction: msgspec.Raw = NOT_THERE  # R5
    reasonNotTaken: msgspec.Raw = NOT_THERE  # STU3


class OrderDetail(Struct):
    """A CodeableConcept in R4; in R5 a list of parameters."""

    class Parameter(Struct):
        valueCodeableConcept: CodeableConcept | None = None

    coding: list[Coding | None] | None = None
    text: str | None = None
    parameter: list[Parameter | None] | None = None


class ServiceRequest(Struct):
    """And a ProcedureRequest or ReferralRequest of STU3."""

    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    intent: str | None = None
    priority: str | None = None
    doNotPerform: bool | None = None
    subject: Reference | None = None
    code: ConceptOrReference | None = None
    orderDetail: list[OrderDetail | None] | None = None
    type: CodeableConcept | None = None  # ReferralRequest
    serviceRequested: list[CodeableConcept | None] | None = None  # ReferralRequest
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    authoredOn: str | None = None
    reason: msgspec.Raw = NOT_THERE  # R5
    bodyStructure: msgspec.Raw = NOT_THERE  # R5


class Task(Struct):
    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    intent: str | None = None
    priority: str | None = None
    code: CodeableConcept | None = None
    reasonCode: CodeableConcept | None = None
    # R5: a list; STU3: one concept.
    reason: list[CodeableReference | None] | CodeableConcept | None = None
    doNotPerform: bool | None = None  # R5
    context: msgspec.Raw = NOT_THERE  # STU3
    focus: Reference | None = None
    authoredOn: str | None = None
    for_: Reference | None = msgspec.field(default=None, name="for")


class Procedure(Struct):
    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    subject: Reference | None = None
    code: CodeableConcept | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    occurrenceDateTime: str | None = None  # R5
    occurrencePeriod: Period | None = None  # R5
    notDone: bool | None = None  # STU3
    reason: msgspec.Raw = NOT_THERE  # R5
    recorded: msgspec.Raw = NOT_THERE  # R5
    reportedBoolean: msgspec.Raw = NOT_THERE  # R5
    reportedReference: msgspec.Raw = NOT_THERE  # R5
    context: msgspec.Raw = NOT_THERE  # STU3


class DiagnosticReport(Struct):
    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    subject: Reference | None = None
    code: CodeableConcept | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    result: msgspec.Raw = NOT_THERE
    contained: msgspec.Raw = NOT_THERE
    conclusion: msgspec.Raw = NOT_THERE
    presentedForm: msgspec.Raw = NOT_THERE
    study: msgspec.Raw = NOT_THERE  # R5
    note: msgspec.Raw = NOT_THERE  # R5
    composition: msgspec.Raw = NOT_THERE  # R5
    codedDiagnosis: msgspec.Raw = NOT_THERE  # STU3
    context: msgspec.Raw = NOT_THERE  # STU3


class QuestionnaireResponse(Struct):
    """item: walked member by member, so that one that is invalid loses no other."""

    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    subject: Reference | None = None
    questionnaire: str | Reference | None = None  # STU3: a reference
    authored: str | None = None
    author: Reference | None = None
    source: Reference | None = None
    item: msgspec.Raw = NOT_THERE


class FamilyCondition(Struct):
    code: CodeableConcept | None = None


class FamilyMemberHistory(Struct):
    id: str | None = None
    modifierExtension: msgspec.Raw = NOT_THERE
    status: str | None = None
    patient: Reference | None = None
    date: str | None = None
    condition: list[FamilyCondition | None] | None = None
    relationship: CodeableConcept | None = None
    notDone: bool | None = None  # STU3
    gender: msgspec.Raw = NOT_THERE  # STU3
    participant: msgspec.Raw = NOT_THERE  # R5
    reason: msgspec.Raw = NOT_THERE  # R5
