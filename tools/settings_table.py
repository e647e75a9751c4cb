"""Writes the table of settings in docs/operating.md: python -m tools.settings_table"""

from __future__ import annotations

import re
from pathlib import Path

from service.config import SETTINGS

FILE = Path(__file__).parents[1] / "docs" / "operating.md"
_PART = re.compile(r"(<!-- settings: [^\n]*-->\n).*?(<!-- /settings -->)", re.S)


def written(page: str) -> str:
    """Return the page with its table of settings as service.config has them."""
    lines = ["| Setting | Default | What |", "|---|---|---|"]
    for name, (default, what) in SETTINGS.items():
        lines.append(f"| `{name}` | {f'`{default}`' if default else 'none'} | {what} |")
    return _PART.sub(lambda part: f"{part[1]}{chr(10).join(lines)}\n{part[2]}", page)


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
