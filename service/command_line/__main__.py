"""The command fasciculation-cds, also as python -m service.command_line."""

import sys

from service.package_files import shadowed_packages


def main() -> None:
    """Run the command, or end with 2 if another package shadows ours."""
    if problem := shadowed_packages():
        print(problem, file=sys.stderr)
        sys.exit(2)
    # Without our packages this import would fail.
    from service.command_line.commands import commands

    commands(prog_name="fasciculation-cds")


if __name__ == "__main__":
    main()
