"""python -m service"""

import os
import sys

from service.server import main

raise SystemExit(main(sys.argv[1:], os.environ))
