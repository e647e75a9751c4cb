"""The medicines of a card's evidence: those that a row reads, with their timing."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings.record import Drug, Plausible
from service.cards.escaping import escaped
from service.cards.text import counted, drug_name, joined
from service.cards.to_do import ToDo
from service.decision import Decision
from service.knowledge import Knowledge

_MOST_DRUGS, _MOST_NAMES = 6, 8
_TIMING = (Plausible.YES, Plausible.POSSIBLE, Plausible.NO)


class MedicineLines:
    """Writes the medicines of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge, to_do: ToDo) -> None:
        self.decision = decision
        self.table = knowledge.table
        self.knowledge = knowledge
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.to_do = to_do

    def texts(self) -> list[str]:
        """The first medicines that a row reads in full, the rest of them by name, and how many others."""
        drugs = self.decision.record.drugs
        acted_on = [result for made in self.decision.recommendations for result in made.results]
        explaining = [drug for result in acted_on for drug in self.to_do.explaining(result)]

        judged = [
            drug
            for drug in drugs
            if drug.classes & self.table.drug_classes or drug in explaining or self.to_do.is_reviewed(drug)
        ]

        def rank(drug: Drug) -> tuple[bool, bool, int]:
            return (
                drug not in explaining,
                not self.to_do.is_reviewed(drug),
                _TIMING.index(drug.plausible),
            )

        judged.sort(key=rank)
        texts = [self.medicine(drug) for drug in judged[:_MOST_DRUGS]]
        names = [escaped(drug_name(drug, self.wording)) for drug in judged[_MOST_DRUGS:]]
        texts += [counted(names, _MOST_NAMES, self.wording)] if names else []
        others = len(drugs) - len(judged)
        if others:
            place = "medicine.other_one" if others == 1 else "medicine.others"
            texts.append(self.say(place, count=others))
        return texts

    def medicine(self, drug: Drug) -> str:
        """furosemide (loop diuretic), since 2026-10-01."""
        name, names = drug_name(drug, self.wording), self.class_names(drug.classes)
        when = self.to_do.timing(drug)
        if not names or names.casefold() == name.casefold():
            return self.say("medicine.says_plainly", name=escaped(name), when=when)
        return self.say("medicine.says", name=escaped(name), **{"class": names}, when=when)

    def class_names(self, classes: Iterable[str]) -> str:
        """Names of the classes of a medicine."""
        labels = self.knowledge.terminology.medications.class_labels
        return joined([labels[name] for name in sorted(classes) if name in labels])
