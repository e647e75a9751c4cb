"""The spellings of a generic name in other languages, as look-up keys.

The forms of an international nonproprietary name differ from language to language in accents, endings and
letters alone. A key folds them; the names of the knowledge and the words of a record have the same keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

# Longer than any generic name with its salt: a word of thousands of letters is not folded.
_LONGEST = 60
_TWICE = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class Folding:
    """What differs between the spellings of one name.

    endings: of which one is cut off. letters: as written -> as folded. beginnings: the same at the start.
    salts: that German and Nordic spellings write in one word with the name.
    """

    endings: tuple[str, ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    beginnings: Mapping[str, str] = field(default_factory=dict)
    salts: tuple[str, ...] = ()
    _letters: re.Pattern[str] = field(init=False, repr=False)
    _endings: re.Pattern[str] = field(init=False, repr=False)
    salt_keys: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        longest_first = sorted(self.letters, key=lambda text: (-len(text), text))
        object.__setattr__(self, "_letters", re.compile("|".join(map(re.escape, longest_first)) or "(?!)"))
        # The first that fits, as they are listed.
        endings = "|".join(map(re.escape, self.endings)) or "(?!)"
        object.__setattr__(self, "_endings", re.compile(f"(?:{endings})$"))
        object.__setattr__(self, "salt_keys", tuple(self.keys(salt)[1] for salt in self.salts))

    def keys(self, name: str) -> tuple[str, str]:
        """The key of a name or word in lower case without accents and ending, and that with folded letters.

        >>> Folding(("um", "a"), {"ph": "f", "y": "i"}).keys("phényla")
        ('phenyl', 'fenil')
        """
        plain = name if name.isascii() else unaccented(name)
        return self._endings.sub("", plain), self._endings.sub("", self._in_letters(plain))

    def without_salt(self, key: str) -> Iterator[str]:
        """The keys that are left of a key with folded letters that ends with a salt."""
        for salt in self.salt_keys:
            if key.endswith(salt):
                name = key.removesuffix(salt)
                yield self._endings.sub("", name)
                # The last letter of the name may be folded with the same first one of the salt.
                yield name + salt[0]

    def _in_letters(self, word: str) -> str:
        word = _TWICE.sub(r"\1", self._letters.sub(lambda match: self.letters[match[0]], word))
        for start, other in self.beginnings.items():
            if word.startswith(start):
                return other + word.removeprefix(start)
        return word


@dataclass(frozen=True, slots=True)
class NationalNames(Generic[T]):
    """Generic names in every spelling. plain, lettered: the two keys of a name -> its meaning."""

    folding: Folding = Folding()
    plain: Mapping[str, tuple[T, ...]] = field(default_factory=dict)
    lettered: Mapping[str, tuple[T, ...]] = field(default_factory=dict)

    def of(self, word: str) -> tuple[T, ...]:
        """The meaning of a word in lower case that is a spelling of a name; () where it is none."""
        if not self.plain or not word.isalpha() or len(word) > _LONGEST:
            return ()
        plain, lettered = self.folding.keys(word)
        found = self.plain.get(plain) or self.lettered.get(lettered)
        if found or not lettered.endswith(self.folding.salt_keys):
            return found or ()
        parts = self.folding.without_salt(lettered)
        return next((self.lettered[part] for part in parts if part in self.lettered), ())


def national_names_of(
    folding: Folding, names: Mapping[str, tuple[T, ...]], generic: Collection[str]
) -> NationalNames[T]:
    """The keys of the generic ones among the names; a key of names with different meanings is left out."""
    plain: dict[str, tuple[T, ...]] = {}
    lettered: dict[str, tuple[T, ...]] = {}
    for name, meaning in names.items():
        for table, key in zip((plain, lettered), folding.keys(name), strict=True):
            if set(table.setdefault(key, meaning)) != set(meaning):
                table[key] = ()
    wanted = [folding.keys(name) for name in names if name in generic and name.isalpha()]
    return NationalNames(
        folding,
        {key: plain[key] for key, _ in wanted if plain[key]},
        {key: lettered[key] for _, key in wanted if lettered[key]},
    )


def unaccented(word: str) -> str:
    if word.isascii():
        return word
    return "".join(
        letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter)
    )
