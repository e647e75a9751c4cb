"""Ids of cards: what they say comes back, and nothing that was not signed here is read."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cards import Call
from service.cards.card_ids import (
    CALL_BITS,
    ITEM_BITS,
    KINDS,
    NAME_BITS,
    TAG_BITS,
    VERSION_BITS,
    CardId,
    CardIds,
    NotOurs,
    code_of,
    id_of,
    names_by_code,
)
from service.knowledge import Knowledge

SECRET, OTHER = "a" * 32, "b" * 32
IDS = CardIds((SECRET,), "one")
SAID = st.builds(
    CardId,
    st.sampled_from(KINDS),
    st.integers(0, (1 << VERSION_BITS) - 1),
    st.integers(0, (1 << NAME_BITS) - 1),
    st.integers(0, (1 << CALL_BITS) - 1),
    st.integers(0, (1 << ITEM_BITS) - 1),
)


def test_the_layout_fills_what_the_rfc_leaves() -> None:
    assert 2 + VERSION_BITS + NAME_BITS + CALL_BITS + ITEM_BITS + TAG_BITS == 122
    assert TAG_BITS == 64
    assert len(KINDS) == 4


@given(SAID)
def test_cds_hooks_80_what_an_id_says_comes_back(said: CardId) -> None:
    written = IDS.written(said)
    assert IDS.read(written) == said
    assert IDS.read(written.upper()) == said


@given(SAID)
def test_it_is_a_uuid_of_version_8(said: CardId) -> None:
    made = uuid.UUID(IDS.written(said))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)


@given(SAID, st.integers(0, 127))
def test_every_single_flipped_bit_is_refused(said: CardId, bit: int) -> None:
    flipped = uuid.UUID(int=uuid.UUID(IDS.written(said)).int ^ 1 << bit)
    with pytest.raises(NotOurs):
        IDS.read(str(flipped))


def test_all_128_flipped_bits_of_one_id_are_refused() -> None:
    whole = uuid.UUID(id_of(IDS, "a1b2c3", "call", "card", "persistent")).int
    for bit in range(128):
        with pytest.raises(NotOurs):
            IDS.read(str(uuid.UUID(int=whole ^ 1 << bit)))


@given(SAID, st.integers(0, TAG_BITS - 1))
def test_every_bit_of_the_tag_counts(said: CardId, bit: int) -> None:
    """The tag: the last 62 bits, and the two before the variant."""
    place = bit if bit < 62 else bit + 2
    flipped = uuid.UUID(int=uuid.UUID(IDS.written(said)).int ^ 1 << place)
    with pytest.raises(NotOurs, match="signed"):
        IDS.read(str(flipped))


@given(SAID)
def test_another_service_and_another_secret_refuse_it(said: CardId) -> None:
    written = IDS.written(said)
    for other in (CardIds((SECRET,), "two"), CardIds((OTHER,), "one"), CardIds((), "one")):
        with pytest.raises(NotOurs):
            other.read(written)


@given(SAID)
def test_an_old_secret_still_verifies_and_the_first_signs(said: CardId) -> None:
    both = CardIds((OTHER, SECRET), "one")
    assert both.read(IDS.written(said)) == said
    assert both.written(said) == CardIds((OTHER,), "one").written(said) != IDS.written(said)
    assert both.read(both.written(said)) == said


@given(SAID)
def test_without_a_secret_none_is_read(said: CardId) -> None:
    unsigned = CardIds((), "one").written(said)
    assert uuid.UUID(unsigned).version == 8
    for ids in (CardIds((), "one"), IDS):
        with pytest.raises(NotOurs):
            ids.read(unsigned)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "4e0a3a1e-3283-4575-ab82-028d55fe2719",
        "00000000-0000-8000-8000-000000000000",
        "{%s}",
        "urn:uuid:%s",
        "%s ",
        "%s\n",
        "a" * 10_000,
        "\ud800",
        "٠" * 36,
    ],
)
def test_what_is_no_id_of_ours(text: str) -> None:
    with pytest.raises(NotOurs):
        IDS.read(text.replace("%s", id_of(IDS, "a1b2c3", "call", "card", "persistent")))


def test_the_hyphens_belong_to_it() -> None:
    with pytest.raises(NotOurs):
        IDS.read(id_of(IDS, "a1b2c3", "call", "card", "persistent").replace("-", ""))


def test_the_same_call_gives_the_same_and_whatever_differs_another() -> None:
    honest = ("a1b2c3", "call", "order", "emg", "ServiceRequest/1")
    changed = [
        ("b1b2c3", "call", "order", "emg", "ServiceRequest/1"),
        ("a1b2c3", "another call", "order", "emg", "ServiceRequest/1"),
        ("a1b2c3", "call", "card", "emg", "ServiceRequest/1"),
        ("a1b2c3", "call", "order", "ncs", "ServiceRequest/1"),
        ("a1b2c3", "call", "order", "emg", "ServiceRequest/2"),
        ("a1b2c3", "call", "order", "emg"),
    ]
    assert id_of(IDS, *honest) == id_of(IDS, *honest)
    assert len({id_of(IDS, *honest), *(id_of(IDS, *other) for other in changed)}) == 1 + len(changed)


def test_two_cards_of_one_call_that_ask_the_same_have_ids_of_their_own() -> None:
    one = Call("call", "https://cds.example", ids=IDS, knowledge_version="a1b2c3", about="ServiceRequest/1")
    other = replace(one, about="ServiceRequest/2")
    for kind, name in (("card", "weakness"), ("order", "electrolytes"), ("answer-present", "weakness")):
        assert one.uuid(kind, name) != other.uuid(kind, name)
        assert IDS.read(one.uuid(kind, name)).call == IDS.read(other.uuid(kind, name)).call


def test_an_id_known_by_heart() -> None:
    """Ids that clients keep must be read by every later version: none of this may ever change."""
    written = id_of(
        CardIds(("0123456789abcdef0123456789abcdef",), "fasciculation-patient-view"),
        "a1b2c3d4e5f6",
        "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "order",
        "emg",
    )
    assert written == "687a4368-4014-8f2b-9f2c-d9af66c67183"


def test_an_id_says_its_row_and_version() -> None:
    said = IDS.read(id_of(IDS, "a1b2c3d4e5f6", "call", "card", "persistent"))
    assert (said.kind, said.version, said.name) == ("card", 0xA1, code_of("persistent"))
    assert IDS.read(id_of(IDS, "", "call", "card", "")).name == 0


def test_names_that_share_a_code_are_refused() -> None:
    known: dict[int, str] = {}
    number = 0
    while (other := known.setdefault(code_of(f"row-{number}"), f"row-{number}")) == f"row-{number}":
        number += 1
    with pytest.raises(ValueError, match="rename one"):
        names_by_code([other, f"row-{number}"])


def test_no_two_names_of_the_knowledge_share_a_code(knowledge: Knowledge) -> None:
    table = knowledge.table
    for names in ([row.id for row in table.rows], list(table.actions), list(knowledge.terminology.findings)):
        assert len(names_by_code(names)) == len(names) + 1
