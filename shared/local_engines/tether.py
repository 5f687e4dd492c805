"""Becomes the command given to it, after asking the kernel to kill it when its parent dies (Linux, prctl(2)).

Run as `python -I -S tether.py PARENT_PID COMMAND…` with nothing imported from the project: it must start in milliseconds.
The signal is SIGKILL because it alone is certain; every process started this way survives it without loss (journal,
idempotent effects). The kernel sends it when the *thread* that started the process ends, so the thread that starts
children must live as long as they do. On systems without prctl the command simply runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above: no signal will come
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is ours, never a text from outside


if __name__ == "__main__":
    main()
