"""python -m service.feedback upgrade | purge | state"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from sqlalchemy.exc import SQLAlchemyError

from service.config import Config, ConfigError
from service.feedback.store import COMMAND_TIMEOUT_S, Store, StoreDown

USAGE = """python -m service.feedback upgrade | purge | state

upgrade  makes the tables in FEEDBACK_DB, or brings them to the newest form
purge    removes the comments that are older than FEEDBACK_RETENTION_DAYS
state    says whether the store can be used"""


def main(args: list[str], environ: Mapping[str, str], out: TextIO = sys.stdout) -> int:
    """Return 0 = done, 1 = the store cannot be used, 2 = an unknown argument or a wrong setting."""
    if args not in (["upgrade"], ["purge"], ["state"]):
        print(USAGE, file=out)
        return 2
    try:
        config = Config.from_environ(environ)
    except ConfigError as error:
        print(error, file=out)
        return 2
    store = Store(config.feedback_db, config.feedback_retention_days, timeout_s=COMMAND_TIMEOUT_S)
    try:
        if args == ["upgrade"]:
            from service.feedback.upgrade import upgrade

            upgrade(config.feedback_db)
        elif args == ["purge"]:
            print(f"{store.purge()} comments removed.", file=out)
    except (StoreDown, SQLAlchemyError, OSError) as error:
        # The message of a driver holds the address, and may hold a password.
        reason = str(error) if isinstance(error, StoreDown) else type(error).__name__
        print(f"FEEDBACK_DB: the store is {reason}", file=out)
        return 1
    state = store.state()
    print(f"The store is {state}.", file=out)
    return 0 if state == "ok" else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], os.environ))
