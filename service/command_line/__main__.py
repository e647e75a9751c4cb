"""python -m service.command_line"""

from service.command_line.commands import main

main()
