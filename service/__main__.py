"""python -m service"""

import gc
import os
import sys

# Next to nothing of what a start makes is let go: the collector would look through it in vain.
gc.disable()

from service.package_files import shadowed_packages  # noqa: E402

if problem := shadowed_packages():
    print(problem, file=sys.stderr)
    raise SystemExit(2)

from service.server import main  # noqa: E402

raise SystemExit(main(sys.argv[1:], os.environ))
