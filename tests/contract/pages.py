"""A page as a parsed document: strict where a browser would guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
# What a browser would end a paragraph for.
_BLOCKS = {*"p ul ol dl table div section nav header footer main details h1 h2 h3 h4".split()}  # noqa: SIM905
_CHILDREN = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"dt", "dd"},
    "table": {"caption", "thead", "tbody"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tr": {"th", "td"},
}


@dataclass
class Element:
    """One element with its text and what it holds."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def all(self, *tags: str) -> list[Element]:
        """Every element of those tags below this one, in the order of the document."""
        found = []
        for child in self.children:
            if child.tag in tags:
                found.append(child)
            found += child.all(*tags)
        return found

    def within(self, tag: str) -> bool:
        """Whether it stands below such an element."""
        return self.parent is not None and (self.parent.tag == tag or self.parent.within(tag))


class Page(HTMLParser):
    """Parses a whole page; `problems` is what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self._open = self.root
        self.problems: list[str] = []
        self.doctype = ""
        self.feed(html)
        self.close()
        if self._open is not self.root:
            self.problems.append(f"<{self._open.tag}> is left open")

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.problems.append(f"<{tag}> has an attribute twice")
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        if tag in _BLOCKS and (self._open.tag == "p" or element.within("p")):
            self.problems.append(f"<{tag}> inside a paragraph")
        allowed = _CHILDREN.get(self._open.tag)
        if allowed and tag not in allowed:
            self.problems.append(f"<{tag}> inside <{self._open.tag}>")
        if tag == "a" and element.within("a"):
            self.problems.append("a link inside a link")
        self._open.children.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or self._open.tag != tag:
            self.problems.append(f"</{tag}> where <{self._open.tag}> is open")
            return
        assert self._open.parent is not None
        self._open = self._open.parent

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open.tag in _CHILDREN:
            self.problems.append(f"text inside <{self._open.tag}>: {data.strip()[:30]}")
        element: Element | None = self._open
        while element is not None:
            element.pieces.append(data)
            element = element.parent

    @property
    def text(self) -> str:
        (body,) = self.root.all("body")
        return body.text

    @property
    def ids(self) -> list[str]:
        return [e.attributes["id"] for e in self.root.all(*self.tags) if "id" in e.attributes]

    @property
    def tags(self) -> set[str]:
        found: set[str] = set()
        waiting = [self.root]
        while waiting:
            element = waiting.pop()
            found.add(element.tag)
            waiting += element.children
        return found

    @property
    def links(self) -> list[str]:
        return [a.attributes["href"] for a in self.root.all("a", "link")]
