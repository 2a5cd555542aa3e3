"""A sitting for the tests: three rounds, made up."""

from figures import PARTS

PLAN = {"rounds": 3, "seconds": 10, "closed_sessions": 100, "paced_sessions": 300, "paced_rate": 100, "cuts": 50,
        "idle_sessions": 1000}


def run(load, target, number, processor, memory=(), units=100, **more):
    """`processor` in seconds and `memory` in bytes, in the order of the target's parts; `units` messages or log-ins."""
    parts = PARTS[target]
    made = {"logged_in": units, "memory": dict(zip(parts, memory))} if load == "idle" else {"messages_per_second": units / 10}
    return {
        "round": number, "load": load, "target": target, "processor": dict(zip(parts, processor)), "others": 0.05 * number,
        "sent": 0 if load == "idle" else units, "received": 0 if load == "idle" else units, "requests": 2 * units,
        "lost": 0, "doubled": 0, "out_of_order": 0, "failed_sessions": 0,
        "p50_ms": 1.0 + number, "p99_ms": 5.0 + number, "max_ms": 9.0 + number, **made, **more}


def sitting(runs):
    return {"when": "2026-01-31", "versions": {"holdfast": "1", "prosody": "2", "ejabberd": "3", "nginx": "4"},
            "processor": "a processor", "cores": 2, "kernel": "6.1", "plan": PLAN, "runs": runs, "failed": []}


def whole():
    """With all loads and targets. The third round ran on a machine ten times as slow."""
    runs = []
    for number, slow in enumerate((1, 1, 10)):
        for load in ("closed", "paced", "cut", "idle"):
            for target, parts in PARTS.items():
                if load == "cut" and target.endswith("-websocket"):
                    continue
                # A WebSocket takes half of what BOSH takes.
                door = 0.5 if target.endswith("-websocket") else 1
                seconds = {"server": door * (0.2 if target.startswith("holdfast") else 0.4), "manager": door * 0.05, "proxy": 0.04}
                bytes_ = {"server": 3_072_000, "manager": 204_800, "proxy": 819_200}
                runs.append(run(load, target, number, [seconds[part] * slow for part in parts],
                                [bytes_[part] for part in parts]))
    return sitting(runs)
