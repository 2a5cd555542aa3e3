"""Failed log-ins in the log of Holdfast, found by fail2ban's own tool with the filter in deploy/fail2ban."""

import asyncio
import base64
import os
import re
import subprocess

from support import gateway
from support.bosh import SASL, Session
from support.case import Case, holdfast_only
from support.processes import ROOT, wait_until
from support.prosody import ACCOUNTS

FILTER = os.path.join(ROOT, "deploy/fail2ban/holdfast.conf")


def found(log):
    """The lines in which fail2ban finds a failed log-in, and how many it does not."""
    tool = subprocess.run(["fail2ban-regex", "--print-all-matched", log, FILTER], capture_output=True, text=True, timeout=60)
    assert tool.returncode == 0, tool.stdout + tool.stderr
    matched, missed = re.search(r"(\d+) matched, (\d+) missed", tool.stdout).groups()
    lines = re.search(r"Matched line\(s\):\n((?:\|  .*\n)*)", tool.stdout)
    lines = [line[3:] for line in lines.group(1).splitlines()] if lines else []
    assert len(lines) == int(matched), tool.stdout
    return lines, int(missed)


@holdfast_only
class Fail2ban(Case):
    every_upstream = True

    async def refused(self, name, service=None):
        """A log-in with a wrong password."""
        session = Session((service or self.service).port, ACCOUNTS)
        self.addAsyncCleanup(session.close)
        await session.create()
        session.inbox.get_nowait()
        initial = base64.b64encode(f"\0{name}\0wrong".encode()).decode()
        await session.request(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{initial}</auth>")
        refusal = await session.next_stanza()
        self.assertEqual(refusal.tag, f"{{{SASL}}}failure")

    async def test_each_failed_login_is_found_with_its_address(self):
        for name in ("mercutio", "nobody", "romeo client=192.0.2.66 condition=not-authorized"):
            await self.refused(name)
        good = Session(self.service.port, ACCOUNTS)
        self.addAsyncCleanup(good.close)
        await good.create()
        await good.login("mercutio", self.server.password)
        await asyncio.to_thread(
            wait_until, lambda: sum(self.service.statistics()["sessions"]["login_failures"].values()) == 3, "three failures")
        lines, _ = found(self.service.child.log)
        self.assertEqual(len(lines), 3)
        for line in lines:
            # Of the last name a server may say that it is none.
            self.assertRegex(line, " notice sessions: login-failed client=127[.]0[.]0[.]1 condition=(not-authorized|malformed-request) ")
            self.assertIn(f" domain={ACCOUNTS} ", line)
        self.assertGreaterEqual("".join(lines).count("condition=not-authorized"), 2)

    async def test_a_line_of_each_form_as_the_program_writes_it(self):
        for form in ("text", "json", "logfmt"):
            for priorities in ("off", "on"):
                service = gateway.Configured(self.scratch.path, {
                    "domain": [ACCOUNTS], "upstream": [f"127.0.0.1:{self.server.plain_port}"], "upstream-tls": "none",
                    "log-format": form, "log-priorities": priorities})
                self.addAsyncCleanup(asyncio.to_thread, service.stop)
                await self.refused("mercutio", service)
                await asyncio.to_thread(wait_until, lambda: "login-failed" in service.log(), "a line")
                self.assertEqual(len(found(service.child.log)[0]), 1, service.log())

    async def test_the_forms_of_the_log_and_what_is_no_guess(self):
        time = "2026-11-28T17:12:04.123Z"
        good = [
            f"{time} notice sessions: login-failed client=192.0.2.7 condition=not-authorized domain=one.test",
            f"{time} notice sessions: login-failed client=2001:db8::7 condition=other domain=one.test",
            f"<5>{time} notice sessions: login-failed client=192.0.2.7 condition=not-authorized domain=one.test",
            "Nov 28 17:12:04 host holdfast[9]: notice sessions: login-failed client=192.0.2.7 condition=not-authorized domain=one.test",
            f'ts={time} level=notice event="login-failed" subsystem=sessions client=192.0.2.7 condition=not-authorized domain=one.test',
            f'{{"ts":"{time}","level":"notice","event":"login-failed","subsystem":"sessions","client":"192.0.2.7",'
            f'"condition":"not-authorized","domain":"one.test"}}',
        ]
        bad = [
            f"{time} notice sessions: login-failed client=192.0.2.7 condition=temporary-auth-failure domain=one.test",
            f"{time} notice sessions: login-failed condition=not-authorized domain=one.test",
            f'{time} info clients: x detail="notice sessions: login-failed client=192.0.2.7 condition=not-authorized"',
            f'{time} info clients: x notice sessions: login-failed client=192.0.2.7 condition=not-authorized',
            f'{{"ts":"{time}","level":"info","event":"x","a":"\\"level\\":\\"notice\\",\\"event\\":\\"login-failed\\"'
            f',\\"subsystem\\":\\"sessions\\",\\"client\\":\\"192.0.2.7\\",\\"condition\\":\\"not-authorized\\""}}',
        ]
        log = os.path.join(self.scratch.path, "samples.log")
        with open(log, "w", encoding="utf-8") as file:
            file.write("\n".join(good + bad) + "\n")
        self.assertEqual(found(log), (good, len(bad)))

    async def test_the_jail_is_one_that_fail2ban_reads(self):
        place = self.scratch.sub("fail2ban")
        for folder in ("filter.d", "action.d", "jail.d"):
            os.mkdir(os.path.join(place, folder))
        os.symlink(FILTER, os.path.join(place, "filter.d/holdfast.conf"))
        os.symlink(os.path.join(ROOT, "deploy/fail2ban/holdfast.jail.conf"), os.path.join(place, "jail.d/holdfast.conf"))
        for name in ("fail2ban.conf", "jail.conf", "paths-debian.conf", "paths-common.conf"):
            os.symlink(f"/etc/fail2ban/{name}", os.path.join(place, name))
        for name in os.listdir("/etc/fail2ban/action.d"):
            os.symlink(f"/etc/fail2ban/action.d/{name}", os.path.join(place, "action.d", name))
        dump = subprocess.run(["fail2ban-client", "-c", place, "-d"], capture_output=True, text=True, timeout=60)
        self.assertEqual(dump.returncode, 0, dump.stdout + dump.stderr)
        for said in ("['set', 'holdfast', 'maxretry', 10]", "'_SYSTEMD_UNIT=holdfast.service'", "login-failed"):
            self.assertIn(said, dump.stdout)
