"""What a card asks: the first few questions as sentences, the rest by name."""

from __future__ import annotations

from collections.abc import Iterator

from service.cards.facets import joined
from service.cards.phrases import phrases_of
from service.decision import Decision
from service.decision.outcome import key_of
from service.decision.questions import Question, foremost
from service.knowledge import Knowledge


class Questions:
    """Writes the questions of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.terminology = knowledge.terminology
        self.say = knowledge.wording.say
        self.phrases = phrases_of(knowledge)
        self.now = key_of(decision.level, decision.recommendations)
        self.first = foremost(decision.questions, knowledge.table.thresholds.at_most_questions)

    def lines(self) -> Iterator[str]:
        """The first few as sentences, the rest by name."""
        for question in self.first:
            yield f"- {self.sentence(question)}"
        shown = {question.id for question in self.first}
        rest = joined(self.name(question) for question in self.decision.questions if question.id not in shown)
        if rest:
            yield f"- {self.say('question.rest', questions=rest)}"

    def name(self, question: Question) -> str:
        """onset; muscle wasting."""
        if question.in_words:
            return self.say(f"question.name_{question.id}")
        return self.terminology.findings[question.id].label

    def sentence(self, question: Question) -> str:
        """Is there weakness on examination? If present: EMG; if absent: no change."""
        return self.phrases.sentence(question.asked, self.now)
