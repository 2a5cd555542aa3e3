"""Precedence on a busy machine: the measured processes should not wait for other work."""

import contextlib
import os

FIRST = -10


def go_first():
    """Gives this process precedence over others if that is allowed, which it is for root. The kernel may weigh whole sessions
    of processes against each other before it looks at a single process, so this one gets its own session."""
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as group:
        group.write(str(FIRST))
