"""The tables of a sitting in Markdown, and the sentence of the README. Pure."""

import textwrap

from figures import (CLOSED, CLOSED_REQUEST, LOGIN, MEMORY, PACED, measured, middle, others, ratio, seen, total)

NAMES = {"prosody": "Prosody", "ejabberd": "ejabberd"}
TITLES = {
    "prosody": "Prosody's own BOSH", "holdfast-prosody": "Holdfast before Prosody",
    "ejabberd": "ejabberd's own BOSH", "holdfast-ejabberd": "Holdfast before ejabberd",
    "holdfast": "Holdfast before the null server", "nginx": "nginx before Holdfast",
}
SOCKETS = {
    "prosody-websocket": "Prosody's own WebSocket", "holdfast-prosody-websocket": "Holdfast before Prosody, WebSocket",
    "ejabberd-websocket": "ejabberd's own WebSocket", "holdfast-ejabberd-websocket": "Holdfast before ejabberd, WebSocket",
    "holdfast-websocket": "Holdfast before the null server, WebSocket",
}
# The doors by the names of their targets: what stands behind those for BOSH, and how the tables call it.
DOORS = {"": "BOSH", "-websocket": "WebSocket"}


def time(seconds):
    """In milliseconds, three digits that count."""
    return "-" if seconds is None else f"{digits(seconds * 1000)} ms"


def kibibytes(count):
    return "-" if count is None else f"{digits(count / 1024)} KiB"


def digits(value):
    """Three digits that count, without an exponent."""
    for limit, places in ((0.1, 4), (1, 3), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{places}f}"
    return f"{value:.0f}"


def times(found):
    return "-" if found is None else f"{found.middle:.2f} ({found.low:.2f}-{found.high:.2f})"


def plain(value, places=1):
    return "-" if value is None else f"{value:.{places}f}"


def aligned(rows):
    """Rows of cells as a Markdown table, the first row the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def quantities(plan):
    """What the tables compare, with a name for each and how it is written."""
    return [
        (f"processor a message, closed loop, {plan['closed_sessions']} sessions", CLOSED, time),
        (f"processor a message, {plan['paced_rate']}/s over {plan['paced_sessions']} sessions", PACED, time),
        ("processor a log-in", LOGIN, time),
        (f"memory an idle session, of {plan['idle_sessions']}", MEMORY, kibibytes),
    ]


def together(sitting, door=""):
    """What an operator feels: the server's own BOSH or WebSocket against server and Holdfast together."""
    own = f"own {DOORS[door]}"
    rows = [["", own, "with Holdfast: server", "Holdfast", "together", f"together / {own}"]]
    for server, name in ((f"{server}{door}", name) for server, name in NAMES.items()):
        both = f"holdfast-{server}"
        for title, quantity, write in quantities(sitting["plan"]):
            rows.append([
                f"{name}: {title}", write(middle(sitting, quantity, server)),
                write(middle(sitting, quantity, both, ("server",))), write(middle(sitting, quantity, both, ("manager",))),
                write(middle(sitting, quantity, both)), times(ratio(sitting, quantity, both, server))])
    return aligned(rows)


def alone(sitting):
    """Holdfast before the null server beside nginx that passes the same requests through."""
    rows = [["", "Holdfast", "nginx passing through", "Holdfast / nginx"]]
    for title, quantity, write in [("processor a request, closed loop", CLOSED_REQUEST, time), *quantities(sitting["plan"])[1:]]:
        rows.append([title, write(middle(sitting, quantity, "holdfast")), write(middle(sitting, quantity, "nginx")),
                     times(ratio(sitting, quantity, "holdfast", "nginx"))])
    for target, title in (("holdfast-starttls", "STARTTLS"), ("holdfast-direct", "direct TLS")):
        rows.append([f"memory an idle session, {title} to Prosody", kibibytes(middle(sitting, MEMORY, target)), "-", "-"])
    return aligned(rows)


def doors(sitting):
    """Holdfast before the null server, by what its clients speak."""
    rows = [["Holdfast", "over BOSH", "over WebSocket", "WebSocket / BOSH"]]
    for title, quantity, write in quantities(sitting["plan"]):
        rows.append([title, write(middle(sitting, quantity, "holdfast")), write(middle(sitting, quantity, "holdfast-websocket")),
                     times(ratio(sitting, quantity, "holdfast-websocket", "holdfast"))])
    return aligned(rows)


def clients(sitting):
    """What the clients saw."""
    plan = sitting["plan"]
    rows = [["", "closed loop: messages/s", "p50 / p99 ms", f"{plan['paced_rate']}/s: p50 / p99 / max ms",
             f"{plan['cuts']} connections cut: p99 / max ms", "lost / doubled / out of order", "of", "sessions failed"]]
    for target, title in (TITLES | SOCKETS if has_sockets(sitting) else TITLES).items():
        def see(load, *names):
            return " / ".join(plain(seen(sitting, load, target, name)) for name in names)
        rows.append([
            title, plain(seen(sitting, "closed", target, "messages_per_second"), 0), see("closed", "p50_ms", "p99_ms"),
            see("paced", "p50_ms", "p99_ms", "max_ms"), see("cut", "p99_ms", "max_ms"),
            " / ".join(str(total(sitting, target, name)) for name in ("lost", "doubled", "out_of_order")),
            str(total(sitting, target, "sent")), str(total(sitting, target, "failed_sessions"))])
    return aligned(rows)


def conditions(sitting):
    """Where and how it was measured, in one paragraph."""
    versions, plan = sitting["versions"], sitting["plan"]
    rounds = "one round" if plan["rounds"] == 1 else f"medians of {plan['rounds']} interleaved rounds"
    failed = f" {len(sitting['failed'])} runs failed and are left out." if sitting["failed"] else ""
    return textwrap.fill(
        f"{sitting['when']}: Holdfast {versions['holdfast']}, Prosody {versions['prosody']}, ejabberd {versions['ejabberd']}, "
        f"nginx {versions['nginx']}; {sitting['cores']} cores, {sitting['processor']}, Linux {sitting['kernel']}; {rounds}, "
        f"{plan['seconds']} s for each load; other work had {others(sitting) * 100:.0f} % of a core meanwhile.{failed}", 120)


def has_sockets(sitting):
    """Whether WebSockets were measured; they are left out else."""
    return any(measured(sitting, target) for target in SOCKETS)


def report(sitting):
    """All of it."""
    sockets = [together(sitting, "-websocket"), doors(sitting)] if has_sockets(sitting) else []
    return "\n\n".join([conditions(sitting), together(sitting), *sockets, alone(sitting), clients(sitting)])


def sentence(sitting):
    """For the README: ratios of one sitting, and what does not depend on the machine."""
    def both(quantity):
        found = [(name, ratio(sitting, quantity, f"holdfast-{server}", server)) for server, name in NAMES.items()]
        return " and ".join(f"{'-' if each is None else format(each.middle, '.2f')} ({name})" for name, each in found)
    nginx = ratio(sitting, CLOSED_REQUEST, "holdfast", "nginx")
    return (
        f"An idle session takes {kibibytes(middle(sitting, MEMORY, 'holdfast'))}; a request takes "
        f"{'-' if nginx is None else format(nginx.middle, '.2f')} times the processor that nginx needs to pass it through. In "
        f"units of what the server with its own BOSH takes, server and Holdfast together take {both(CLOSED)} of the processor "
        f"for a message in a closed loop, {both(PACED)} at a low rate, {both(LOGIN)} for a log-in, and {both(MEMORY)} of the "
        f"memory of an idle session (`deploy/bench --peers`, [figures](docs/performance.md)).")
