"""`python -m orchestration` is the command `headrace`."""

from orchestration.command_line import main

main()
