"""What the pictures are made of: plain shapes in the units of their view box. Templates draw them as SVG."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rect:
    """style: a class of the style sheet, and how it is told apart without colour ("hatch", "hollow", "")."""

    x: float
    y: float
    width: float
    height: float
    style: str
    fill: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    style: str


@dataclass(frozen=True, slots=True)
class Mark:
    """shape: circle, square, diamond, up or down."""

    x: float
    y: float
    shape: str
    style: str


@dataclass(frozen=True, slots=True)
class Text:
    """anchor: start, middle or end."""

    x: float
    y: float
    says: str
    style: str = ""
    anchor: str = "start"


Shape = Rect | Line | Mark | Text
