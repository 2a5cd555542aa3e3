"""Who goes first on a busy machine: what is measured should not wait for other work."""

import contextlib
import os

FIRST = -10


def go_first():
    """Lets this process come before others where that is allowed, which it is for root. The kernel may weigh whole sessions
    of processes against each other before it looks at one, so it gets a session of its own."""
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as group:
        group.write(str(FIRST))
