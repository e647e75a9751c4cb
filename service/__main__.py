"""python -m service"""

import os
import sys

from service.package_files import shadowed_packages

if problem := shadowed_packages():
    print(problem, file=sys.stderr)
    raise SystemExit(2)

from service.server import main

raise SystemExit(main(sys.argv[1:], os.environ))
