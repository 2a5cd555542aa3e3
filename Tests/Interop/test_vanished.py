"""Servers that vanish: the machine loses its power, or a firewall forgets the connection, and nobody says so."""

import asyncio
import json
import os
import subprocess
import sys
import unittest

from support import gateway
from support.case import Case, holdfast_only
from support.processes import PATIENCE

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "support", "vanishing.py")


@holdfast_only
class Vanished(Case):
    @unittest.skipUnless(os.geteuid() == 0, "network namespaces take root")
    async def test_a_server_that_acknowledges_nothing_ends_the_session(self):
        """upstream-write-timeout: bytes that only this machine's kernel has taken are none that the server accepts."""
        command = ["unshare", "-n", sys.executable, SCRIPT, gateway.binary, str(PATIENCE)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=2 * PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = json.loads(done.stdout)
        self.assertEqual(seen["condition"], "remote-connection-failed")
        self.assertIn("upstream-stalled", seen["log"])
