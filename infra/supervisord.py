"""The supervisor, with a session for each of its programs.

Linux shares busy processors between sessions first (autogroup, sched(7)). Each of PostgreSQL's backends is one by itself, so that
all other programs in one session would have together what a single backend has. To be run as a file, with Python's -P.
"""

import os

from supervisor import supervisord
from supervisor.options import ServerOptions


def main() -> None:
    ServerOptions.setpgrp = lambda self: os.setsid()  # which makes a process group as well
    supervisord.main()


if __name__ == "__main__":
    main()
