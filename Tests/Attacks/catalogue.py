"""The list of attacks: what each needs, and what it does for how long."""

import json
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Callable, Optional

ATTACKS = {}


@dataclass
class Attack:
    """One attack. `rate` is how often a second it strikes at rate 1."""

    name: str
    what: str
    act: Callable
    rate: float
    group: str
    settings: dict = field(default_factory=dict)
    # Settings that are left out when the binary does not know them.
    wishes: dict = field(default_factory=dict)
    domains: dict = field(default_factory=dict)
    descriptors: Optional[int] = None
    # A helper of the attack that runs beside it: started with the stage, has `stop` and `port`.
    beside: Optional[Callable] = None
    # Is part of the quick form, where at rate 1 it may take this share of a core.
    quick: bool = False
    share: float = 0.1
    # Judges the outcome; returns what is wrong or None.
    judge: Optional[Callable] = None
    # For attacks that are an outcome rather than a load: no healthy session is needed.
    seconds: Optional[float] = None


def attack(name, what, rate, group, **more):
    """Enters the function below it in the catalogue."""

    def enter(function):
        ATTACKS[name] = Attack(name, what, function, rate, group, **more)
        return function

    return enter


def judge_log(result):
    """Nobody fills the disk by the log faster than with half of what he sends."""
    return None if result["log_per_byte"] < 0.5 else f"{result['log_per_byte']:.2f} bytes of log for each byte of the attack"


def attackers(count):
    """The addresses that the attacker has; none of them is a trusted proxy's or a bystander's."""
    return [f"127.0.{9 + number // 200}.{9 + number % 200}" for number in range(count)]


class Scene:
    """What an attacker knows: where to strike, how often, how long."""

    def __init__(self, port, admin_port, server_port, rate, seconds, addresses=1, beside=None):
        self.port, self.admin_port, self.server_port = port, admin_port, server_port
        self.rate, self.seconds, self.beside = rate, seconds, beside
        self.source = attackers(addresses)
        self.began = None
        self.tell_start = lambda: None

    def statistics(self):
        """The admin listener's /stats."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/stats", timeout=10) as answer:
            return json.load(answer)

    def go(self):
        """The time begins now: what came before was preparation."""
        if self.began is None:
            self.tell_start()
            self.began = time.monotonic()

    def is_on(self):
        return time.monotonic() - self.began < self.seconds

    def strikes(self, pump):
        """Yields as often as it is time to strike, and lets `pump(seconds)` run between. Strikes that are late are made up
        for, up to a tenth of a second."""
        self.go()
        gap = 1.0 / self.rate
        due = time.monotonic()
        while self.is_on():
            now = time.monotonic()
            if due > now:
                pump(min(due - now, 0.05))
                continue
            due = max(due, now - 0.1) + gap
            yield
            if time.monotonic() < due - 0.001:
                pump(0)
