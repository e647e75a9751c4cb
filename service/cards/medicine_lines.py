"""The medicines of a card's evidence: those that a row reads, with their timing."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings.record import Drug, Plausible
from service.cards.escaping import escaped, short_name
from service.cards.reasons import Reasons
from service.cards.text import counted, joined
from service.cards.to_do import ToDo
from service.decision import Decision
from service.knowledge import Knowledge

_MOST_DRUGS, _MOST_NAMES = 6, 8
_TIMING = (Plausible.YES, Plausible.POSSIBLE, Plausible.NO)


class MedicineLines:
    """Writes the medicines of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.table = knowledge.table
        self.knowledge = knowledge
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.to_do = ToDo(decision, knowledge)

    def texts(self) -> list[str]:
        """The first medicines that a row reads in full, the rest of them by name, and how many others."""
        read = frozenset().union(*(row.drug_classes for row in self.table.rows))
        drugs = self.decision.record.drugs
        judged = [drug for drug in drugs if drug.classes & read]
        explaining = self._explaining()
        judged.sort(key=lambda drug: (drug.name not in explaining, _TIMING.index(drug.plausible)))
        texts = [self.medicine(drug) for drug in judged[:_MOST_DRUGS]]
        names = [escaped(short_name(drug.name)) for drug in judged[_MOST_DRUGS:]]
        texts += [counted(names, _MOST_NAMES, self.wording)] if names else []
        others = len(drugs) - len(judged)
        if others:
            place = "medicine.other_one" if others == 1 else "medicine.others"
            texts.append(self.say(place, count=others))
        return texts

    def _explaining(self) -> frozenset[str]:
        """The names of the medicines that a row reads together with a result."""
        rows = [row for row in self.decision.rows if not self.table.result_facts.keys().isdisjoint(row.reads)]
        found = Reasons(self.decision, self.knowledge).of(rows)
        keys = [reason.key.partition(" ") for reason in found]
        return frozenset(name for kind, _, name in keys if kind == "drug")

    def medicine(self, drug: Drug) -> str:
        """furosemide (loop diuretic), since 2026-10-01."""
        return self.say(
            "medicine.says",
            name=escaped(short_name(drug.name)),
            **{"class": self.class_names(drug.classes)},
            when=self.to_do.timing(drug),
        )

    def class_names(self, classes: Iterable[str]) -> str:
        """Names of the classes of a medicine."""
        labels = self.knowledge.terminology.medications.class_labels
        return joined(labels[name] for name in sorted(classes) if name in labels)
