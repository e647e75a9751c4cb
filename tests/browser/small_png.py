"""A screenshot with sixteen colours: a picture of text becomes a third as large and reads as before."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = 16


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def with_few_colours(png: bytes) -> bytes:
    """The picture in its sixteen most frequent colours; every other pixel takes the nearest of them.

    Args:
        png: RGB or RGBA, 8 bits, not interlaced: what Chromium writes. Transparency is dropped.
    """
    width, height = size_of(png)
    depth, kind, *_, interlaced = png[24:29]
    if (depth, interlaced) != (8, 0) or kind not in (2, 6):
        raise ValueError("only RGB or RGBA with 8 bits, not interlaced")
    step = 3 if kind == 2 else 4
    data = zlib.decompress(b"".join(body for name, body in _chunks(png) if name == b"IDAT"))
    rows = list(_unfiltered(data, width * step, step))
    pixels = [[row[at : at + 3] for at in range(0, len(row), step)] for row in rows]
    palette = [
        colour for colour, _ in Counter(pixel for row in pixels for pixel in row).most_common(_COLOURS)
    ]
    nearest = {colour: index for index, colour in enumerate(palette)}
    lines = bytearray()
    for row in pixels:
        indexes = []
        for pixel in row:
            if pixel not in nearest:
                nearest[pixel] = min(range(len(palette)), key=lambda index: _far(palette[index], pixel))
            indexes.append(nearest[pixel])
        indexes += [0] * (width % 2)
        lines.append(0)
        lines += bytes(high << 4 | low for high, low in zip(indexes[::2], indexes[1::2], strict=True))
    head = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    parts = [
        (b"IHDR", head),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(bytes(lines), 9)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def _far(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _unfiltered(data: bytes, length: int, step: int) -> Iterator[bytes]:
    """The rows of a picture. length: bytes of a row. step: bytes of a pixel."""
    above = bytearray(length)
    for at in range(0, len(data), length + 1):
        kind, row = data[at], bytearray(data[at + 1 : at + 1 + length])
        for i in range(length):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            up = above[i]
            if kind == 1:
                row[i] = (row[i] + left) & 255
            elif kind == 2:
                row[i] = (row[i] + up) & 255
            elif kind == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif kind == 4:
                guess = left + up - corner
                row[i] = (row[i] + min((left, up, corner), key=lambda one: abs(guess - one))) & 255
        above = row
        yield bytes(row)
