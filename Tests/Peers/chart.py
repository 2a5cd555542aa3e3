"""The chart of a sitting: server and Holdfast together against the server's own BOSH, which is 1. SVG, pure."""

from xml.sax.saxutils import escape

from figures import CLOSED, LOGIN, MEMORY, PACED, middle, ratio
from tables import NAMES

ROWS = [("message, closed loop", CLOSED), ("message, low rate", PACED), ("log-in", LOGIN), ("idle session, memory", MEMORY)]
OWN, SERVER, HOLDFAST, INK = "#b6bcc6", "#7a9cc6", "#d9822b", "#24292f"
# Pixels. The longest bar has `SPAN`.
WIDTH, LEFT, SPAN, BAR, ROW, HEAD = 760, 170, 500, 11, 40, 34


class Bar:
    """Of one row: what server and Holdfast take, in units of the server's own BOSH."""

    def __init__(self, sitting, quantity, server):
        both = f"holdfast-{server}"
        found = ratio(sitting, quantity, both, server)
        self.total = found.middle if found else 0
        whole = middle(sitting, quantity, both) or 1
        share = (middle(sitting, quantity, both, ("manager",)) or 0) / whole
        self.holdfast = self.total * min(max(share, 0), 1)
        self.server = self.total - self.holdfast


def chart(sitting):
    """The SVG document."""
    bars = {server: [(title, Bar(sitting, quantity, server)) for title, quantity in ROWS] for server in NAMES}
    longest = max(1, *(bar.total for rows in bars.values() for _, bar in rows))
    height = 46 + len(bars) * (HEAD + len(ROWS) * ROW)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" font-family="sans-serif" font-size="12" fill="{INK}">',
        "<title>Server and Holdfast together against the server's own BOSH</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
    ]
    top = 12
    for x, colour, title in ((LEFT, OWN, "the server with its own BOSH: 1"), (LEFT + 230, SERVER, "the server behind Holdfast"),
                             (LEFT + 420, HOLDFAST, "Holdfast")):
        lines += [box(x, top, 11, 11, colour), text(x + 16, top + 10, title)]
    top += 22
    for server, rows in bars.items():
        lines.append(text(14, top + 20, NAMES[server], ' font-weight="bold" font-size="14"'))
        top += HEAD
        for title, bar in rows:
            scale = SPAN / longest
            lines += [
                text(LEFT - 8, top + 15, title, ' text-anchor="end"'),
                box(LEFT, top, scale, BAR, OWN),
                box(LEFT, top + BAR + 1, bar.server * scale, BAR, SERVER),
                box(LEFT + bar.server * scale, top + BAR + 1, bar.holdfast * scale, BAR, HOLDFAST),
                text(LEFT + bar.total * scale + 6, top + 2 * BAR, f"{bar.total:.2f}"),
            ]
            top += ROW
    return "\n".join([*lines, "</svg>", ""])


def box(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def text(x, y, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(words)}</text>'
