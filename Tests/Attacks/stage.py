"""One attack on one fresh Holdfast: prepares everything, runs it, and reports the effect on others."""

import multiprocessing
import time
import traceback

import bystanders
import xmppserver
from bystanders import Bystander, percentile, with_omitted
from catalogue import Scene
from daemon import MIB, Holdfast
from support.processes import free_ports

# The limits that must hold while an attack runs, in seconds.
MEDIAN, NINETY_NINTH = 0.020, 0.100
# How long an attacker may prepare, and how long it may take beyond its time.
PREPARATION, PATIENCE = 60, 40
# The clients that the limits by address count: all except the trusted proxies.
TRUSTED = ["127.0.0.1", "::1"]


def parse_size(text):
    """A number of bytes with a unit."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", MIB), ("KiB", 1024), ("G", 10**9), ("M", 10**6), ("k", 1000)):
        if text.endswith(unit):
            return int(float(text.removesuffix(unit).strip()) * factor)
    return int(text)


def attacker(pipe, attack, scene):
    """Runs in its own process: the attack and its report."""
    scene.tell_start = lambda: pipe.send("go")
    try:
        pipe.send(attack.act(scene))
    except Exception as error:  # noqa: BLE001 - whatever happened is what is reported
        pipe.send({"sent": 0, "outcome": f"the attacker: {error!r}", "trace": traceback.format_exc()})


class Stage:
    """Everything that one attack needs, already started; `close` ends all of it."""

    def __init__(self, attack, options):
        self.attack, self.options = attack, options
        self.things = []
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        attack, options = self.attack, self.options
        calm, calm_port = xmppserver.start(is_first=True)
        hostile, self.server_port = xmppserver.start()
        self.things += [Process(calm), Process(hostile)]
        self.beside = attack.beside() if attack.beside else None
        if self.beside is not None:
            self.things.append(self.beside)
        dead, = free_ports(1)
        domains = {"calm.test": calm_port, "hostile.test": self.server_port, "silent.test": self.server_port,
                   "error.test": self.server_port, "dead.test": dead}
        tables = {name: {"upstream": f"127.0.0.1:{port}", "upstream-tls": "none"} for name, port in domains.items()}
        settings = {"trusted-proxy": TRUSTED, **attack.settings}
        if self.beside is not None:
            settings.update(self.beside.settings)
            tables.update(self.beside.domains)
        wishes = {"memory-limit": options.memory_limit, **attack.wishes}
        self.holdfast = Holdfast(options.holdfast, settings, tables, wishes, attack.descriptors)
        self.things.append(self.holdfast)
        self.healthy = Bystander(bystanders.healthy, self.holdfast.port, "calm.test", "127.0.0.20")
        self.things.append(self.healthy)
        self.logins = Bystander(bystanders.logins, self.holdfast.port, "calm.test", "127.0.0.21")
        self.things.append(self.logins)
        said = self.healthy.wait(30)
        if said != "in":
            raise RuntimeError(f"the healthy session: {said}")
        self.logins.wait()

    def close(self):
        for thing in reversed(self.things):
            thing.stop()
        self.things = []

    def mark(self):
        """What the bystanders measured since the last mark."""
        self.healthy.tell("mark")
        self.logins.tell("mark")
        health = self.healthy.wait(5) or {"delays": [], "underway": 5.0, "end": "it does not answer"}
        logins = self.logins.wait(25) or {"tried": 1, "succeeded": 0, "slowest": 25.0, "failure": "it does not answer"}
        return health, logins

    def run(self):
        """The report of the attack."""
        attack, options, holdfast = self.attack, self.options, self.holdfast
        self.mark()
        time.sleep(options.before)
        calm, _ = self.mark()
        seconds = attack.seconds or options.seconds
        before, _ = holdfast.memory()
        holdfast.forget_peak()
        log_before = holdfast.log_bytes()
        scene = Scene(holdfast.port, holdfast.admin_port, self.server_port, attack.rate * options.rate, seconds,
                      options.addresses, self.beside)
        mine, theirs = multiprocessing.Pipe()
        process = multiprocessing.Process(target=attacker, args=(theirs, attack, scene), daemon=True)
        used, begun = holdfast.processor_time(), time.monotonic()
        process.start()
        theirs.close()
        try:
            told = mine.recv() if mine.poll(PREPARATION) else {"sent": 0, "outcome": "the attacker is never ready"}
            if told == "go":
                # Everything before is preparation: the attacker's own logins.
                self.mark()
                used, begun = holdfast.processor_time(), time.monotonic()
                told = mine.recv() if mine.poll(seconds + PATIENCE) else {"sent": 0, "outcome": "the attacker hangs"}
        except EOFError:
            told = {"sent": 0, "outcome": "the attacker died"}
        lasted = time.monotonic() - begun
        used = holdfast.processor_time() - used
        health, logins = self.mark()
        _, peak = holdfast.memory()
        process.kill()
        process.join()
        time.sleep(options.after)
        after, _ = holdfast.memory()
        later, _ = self.mark()
        limits = (holdfast.statistics() or {}).get("limits", {})
        delays = with_omitted(health["delays"] + ([health["underway"]] if health["underway"] > 0.02 else []),
                              bystanders.PAUSE)
        report = {
            "attack": attack.name, "group": attack.group, "what": attack.what, "rate": options.rate, "seconds": lasted,
            "sent": told["sent"], "outcome": told["outcome"],
            "messages": len(delays), "calm_median": percentile(calm["delays"], 0.5), "median": percentile(delays, 0.5),
            "p99": percentile(delays, 0.99), "max": max(delays, default=0.0),
            "healthy_end": health["end"] or later["end"],
            "logins_tried": logins["tried"], "logins_succeeded": logins["succeeded"],
            "login_slowest": logins["slowest"], "login_failure": logins["failure"],
            "processor": used, "processor_share": used / lasted,
            "memory_before": before, "memory_peak": peak, "memory_after": after,
            "log_bytes": holdfast.log_bytes() - log_before,
            "log_per_byte": (holdfast.log_bytes() - log_before) / max(told["sent"], 1),
            "limits": {name: count for name, count in limits.items() if count},
            "crashed": not holdfast.is_running,
            "trace": told.get("trace"),
            **{name: value for name, value in told.items() if name not in ("sent", "outcome", "trace")},
        }
        report["failures"] = verdict(attack, report, options)
        return report


class Process:
    """A child process to be ended."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        self.process.kill()
        self.process.join()


def verdict(attack, report, options):
    """The parts of the report that are not as required."""
    wrong = []
    if report["crashed"]:
        wrong.append("Holdfast ended")
    if report["trace"] or not report["sent"]:
        # An attack that did nothing proves nothing.
        wrong.append(f"the attack did not run: {report['outcome']}")
    if report["healthy_end"]:
        wrong.append(f"the healthy session: {report['healthy_end']}")
    # The time is too short for percentiles and shares.
    is_long = attack.seconds is None or attack.seconds >= 1
    if options.quick:
        # Processor time and memory do not depend on how busy the machine is; delays do.
        if is_long and report["processor_share"] > attack.share:
            wrong.append(f"{report['processor_share']:.0%} of a core, more than {attack.share:.0%}")
        growth = report["memory_peak"] - report["memory_before"]
        if growth > 16 * MIB and growth > 40 * report["sent"]:
            wrong.append(f"{growth / MIB:,.0f} MiB of memory for {report['sent'] / 1e6:.1f} MB")
        if report["login_failure"] and "in time" not in report["login_failure"]:
            wrong.append(f"a login failed ({report['login_failure']})")
    else:
        if is_long and report["median"] > MEDIAN:
            wrong.append(f"median {report['median'] * 1000:.0f} ms")
        if is_long and report["p99"] > NINETY_NINTH:
            wrong.append(f"p99 {report['p99'] * 1000:.0f} ms")
        if is_long and not report["messages"]:
            wrong.append("the healthy session sent nothing meanwhile")
        if report["seconds"] >= 3 and not report["logins_tried"]:
            wrong.append("nobody tried to log in meanwhile")
        if report["logins_succeeded"] < report["logins_tried"]:
            wrong.append(f"{report['logins_tried'] - report['logins_succeeded']} of {report['logins_tried']} logins failed "
                         f"({report['login_failure']})")
    limit = parse_size(options.memory_limit)
    if report["memory_peak"] > limit * 1.1:
        wrong.append(f"memory {report['memory_peak'] / MIB:,.0f} MiB")
    complaint = attack.judge(report) if attack.judge and not report["trace"] and report["sent"] else None
    if complaint:
        wrong.append(complaint)
    return wrong


def run(attack, options):
    """Prepares everything for an attack and runs it."""
    stage = Stage(attack, options)
    try:
        return stage.run()
    finally:
        stage.close()


def row(report):
    """The report as a row of the table."""
    def ms(seconds):
        return f"{seconds * 1000:.1f}" if seconds < 0.1 else f"{seconds * 1000:,.0f}"

    memory = " / ".join(f"{report[name] / MIB:,.0f}" for name in ("memory_before", "memory_peak", "memory_after"))
    sent = report["sent"]
    size = f"{sent / 1e6:,.1f} MB" if sent >= 1e6 else f"{sent / 1e3:,.1f} kB"
    return [report["group"], report["attack"], f"{ms(report['median'])} / {ms(report['p99'])} / {ms(report['max'])}",
            f"{report['logins_succeeded']} of {report['logins_tried']}",
            f"{report['processor']:.2f} s, {report['processor_share']:.0%}", memory, size,
            "ok" if not report["failures"] else "; ".join(report["failures"])]


HEADINGS = ["item", "attack", "delay ms p50 / p99 / max", "logins", "processor", "MiB before / peak / after", "sent", "verdict"]
