"""The limit on open files: too low for a start, low, and taken by connections that do nothing."""

import asyncio
import http.client
import json
import os
import resource
import socket

from support import gateway
from support.case import Case, holdfast_only
from support.processes import PATIENCE, Child, free_ports, wait_until
from support.prosody import ANONYMOUS

LIMIT = 160


@holdfast_only
class Descriptors(Case):
    def start(self, limit, workers):
        """A Holdfast that may have so many open files."""
        self.port, self.admin_port = free_ports(2)
        arguments = [gateway.binary, "run", "--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin_port}",
                     "--domain", ANONYMOUS, "--upstream", f"127.0.0.1:{self.server.plain_port}", "--upstream-tls", "none",
                     "--workers", workers]
        variables = {name: value for name, value in os.environ.items() if name != "HOLDFAST_WORKERS"}
        child = Child(arguments, os.path.join(self.scratch.path, f"descriptors-{self.port}.log"), env=variables,
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        self.addCleanup(child.stop)
        return child

    def ask(self, path):
        """The answer of the admin listener, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    async def test_too_few_are_told_and_nothing_starts(self):
        for workers, least in (("none", 128), ("2", 130)):
            child = self.start(least - 1, workers)
            self.assertEqual(await asyncio.to_thread(child.wait), 1)
            self.assertIn(f"the limit of open files is {least - 1}, and at least {least} are needed", child.output())

    async def test_operators_are_answered_when_idle_connections_have_taken_all(self):
        for workers in ("none", "2"):
            with self.subTest(workers=workers):
                child = self.start(LIMIT, workers)
                child.wait_for_port(self.admin_port)
                self.assertIn("there is room for about", child.output())
                self.assertEqual((await asyncio.to_thread(self.ask, "/readyz"))[0], 200)
                idle = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(3 * LIMIT)]
                try:
                    await asyncio.to_thread(self.stays_answered, child)
                finally:
                    for connection in idle:
                        connection.close()
                await asyncio.to_thread(wait_until, lambda: self.ask("/readyz")[0] == 200, "room for sessions again")

    def stays_answered(self, child):
        wait_until(lambda: self.numbers()["http"]["connections_without_descriptor"] > 0, "connections that are turned away")
        for _ in range(30):
            status, text = self.ask("/readyz")
            self.assertEqual((status, text), (503, "no descriptor is left for another session\n"))
            numbers = self.numbers()
            self.assertGreater(numbers["process"]["descriptors"], 0.5 * numbers["process"]["descriptor_limit"])
            self.assertIn("holdfast_connections_without_descriptor_total", self.ask("/metrics")[1])
        # Once a minute for each worker.
        warnings = child.output().count("no file descriptor is left")
        self.assertTrue(1 <= warnings <= 2, child.output())

    def numbers(self):
        status, text = self.ask("/stats")
        self.assertEqual(status, 200)
        return json.loads(text)
