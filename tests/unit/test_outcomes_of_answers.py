"""The outcome of an answer, found from that of the record, is the outcome read anew."""

from __future__ import annotations

import random

from service.decision.facts import answered, facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import outcome_after, outcome_of
from service.decision.table import TRUE
from service.knowledge import load_knowledge
from tools.proof.factors import space_of

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
SPACE = space_of(TABLE, KNOWLEDGE.terminology)


def test_rows_that_an_answer_does_not_touch_need_not_be_read_again() -> None:
    chance = random.Random(15)
    factors = list(SPACE.factors.values())
    kept = 0
    for _ in range(120):
        state = {**chance.choice(({}, SPACE.examined_absent))}
        state |= {f.name: chance.randrange(len(f.values)) for f in chance.sample(factors, 8)}
        record = SPACE.record(state)
        facts = facts_of(record, TABLE)
        filed = FiledTests(record, TABLE, facts)
        now = outcome_of(filed, facts)
        answers = [
            answered(record, TABLE, facts, {given.id: fact})
            for given in TABLE.asked.values()
            for fact in (given.present, given.absent)
        ]
        answers += [answer.sets for question in TABLE.questions for answer in question.answers]
        answers.append({"child-age": TRUE})
        for answer in answers:
            again = outcome_after(filed, answer, now)
            anew = outcome_of(FiledTests(record, TABLE, facts), {**facts, **answer})
            assert again == anew, SPACE.says(state)
            kept += again is now
    # Else the shortcut is never taken, and the test shows nothing of it.
    assert kept > 100
