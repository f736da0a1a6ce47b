"""`python -m orchestration` is the command `headrace`."""

import gc

from orchestration.command_line import main

# A command ends soon: looking for garbage would take a third of its time, half of that at its exit.
gc.set_threshold(100_000, 50, 50)
try:
    main()
finally:
    gc.freeze()
