"""/metrics of a busy Holdfast, read by Prometheus' own tool."""

import asyncio
import subprocess
import urllib.request

from support.bosh import Session
from support.case import Case, holdfast_only
from support.processes import PATIENCE, wait_until
from support.prosody import ANONYMOUS


@holdfast_only
class Metrics(Case):
    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.service.admin_port}/metrics", timeout=PATIENCE) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    async def test_promtool_has_no_remark(self):
        session = Session(self.service.port, ANONYMOUS)
        self.addAsyncCleanup(session.close)
        await session.create()
        await session.login()
        await session.exchange(session.take_rid(), "<message xmlns='jabber:client' to='nobody@nowhere.invalid'/>")
        # Another worker's numbers may be a second old.
        for line in ("holdfast_sessions 1", "holdfast_login_seconds_count 1",
                     f'holdfast_domain_streams_opened_total{{domain="{ANONYMOUS}"}} 1'):
            await asyncio.to_thread(wait_until, lambda: line + "\n" in self.metrics()[1], line)
        kind, text = self.metrics()
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual((check.returncode, check.stdout, check.stderr), (0, "", ""))

    async def test_promtool_sees_what_is_wrong(self):
        """The silence above is worth nothing unless the tool speaks."""
        check = subprocess.run(["promtool", "check", "metrics"], input="holdfast_total_ms 1\n", capture_output=True,
                               text=True, timeout=60)
        self.assertNotEqual((check.returncode, check.stderr), (0, ""))
