"""Write openapi.yaml; with --check, exit with 1 if it is not current.

python -m tools.openapi [--check]
"""

from __future__ import annotations

import sys

from tools.openapi.document import FILE, written

if "--check" in sys.argv[1:]:
    raise SystemExit(FILE.read_text(encoding="utf-8") != written())
FILE.write_text(written(), encoding="utf-8")
