"""The end of the process: SIGTERM and SIGINT with held requests, and the second signal."""

import asyncio
import os
import signal

from support import gateway
from support.case import Case, holdfast_only
from support.processes import wait_until


@holdfast_only
class Signals(Case):
    async def held(self, count, **options):
        """A service of its own with so many held polls."""
        service = gateway.Holdfast(self.scratch.path, self.server, **options)
        self.addCleanup(service.stop)
        sessions = [await self.session(polling=False, port=service.port) for _ in range(count)]
        for session in sessions:
            session.start_polling()
        while service.statistics()["sessions"]["held_requests"] < count:
            await asyncio.sleep(0.02)
        return service, sessions

    async def test_held_requests_are_answered_and_the_exit_is_clean(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                peer = await self.peer("mercutio")
                service, sessions = await self.held(10)
                for session in sessions:
                    session.send(f"<presence to='{peer.jid}' xmlns='jabber:client'/>")
                await self.presences(peer, sessions, None)
                os.kill(service.child.pid, number)
                for session in sessions:
                    await session.drained()
                    self.assertEqual(session.ended.condition, "system-shutdown")  # T-08
                self.assertEqual(await asyncio.to_thread(service.child.wait), 0)
                # The upstream streams were closed: the server says so to whom it concerns.
                await self.presences(peer, sessions, "unavailable")

    async def presences(self, peer, sessions, kind):
        """Each session's presence, of this type, reaches the peer."""
        missing = {session.jid for session in sessions}
        while missing:
            presence = await peer.stanza("presence")
            if presence.get("from") in missing:
                self.assertEqual(presence.get("type"), kind)
                missing.remove(presence.get("from"))

    async def test_a_second_signal_ends_it_at_once(self):
        service, _ = await self.held(3)
        # A server that has stopped answering keeps the farewell from ending by itself.
        server = self.server.child.pid
        os.kill(server, signal.SIGSTOP)
        try:
            os.kill(service.child.pid, signal.SIGTERM)
            await asyncio.to_thread(wait_until, lambda: "shutting down" in service.child.output(), "the first signal")
            os.kill(service.child.pid, signal.SIGTERM)
            await asyncio.to_thread(service.child.wait)
            self.assertIn("second signal", service.child.output())
        finally:
            os.kill(server, signal.SIGCONT)

    async def test_new_sessions_are_not_taken_while_it_ends(self):
        """T-08: a connection that was open before is told, a new one finds nobody."""
        service, _ = await self.held(1)
        os.kill(service.child.pid, signal.SIGTERM)
        await asyncio.to_thread(service.child.wait)
        with self.assertRaises(OSError):
            await self.session(port=service.port)
