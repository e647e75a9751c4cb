"""python -m service"""

import gc
import os
import sys

from service.package_files import shadowed_packages

if problem := shadowed_packages():
    print(problem, file=sys.stderr)
    raise SystemExit(2)

# What the start builds stays: to traverse it again and again is a fifth of the CPU of a start. server.py
# freezes it and turns the collector on.
gc.disable()

from service.server import main  # noqa: E402 - after the collector is off

raise SystemExit(main(sys.argv[1:], os.environ))
