"""What is read from /proc, of processes that the test itself starts."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import inspection


class ProcessTests(unittest.TestCase):
    def test_children_groups_and_zombies(self):
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        try:
            self.assertIn(child.pid, inspection.children(os.getpid()))
            self.assertEqual(inspection.group(child.pid), [child.pid])
            self.assertEqual(inspection.workers(child.pid), [child.pid])
            self.assertEqual(inspection.living({child.pid}), [child.pid])
            child.send_signal(signal.SIGKILL)
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            self.assertNotIn(child.pid, inspection.children(os.getpid()))
            self.assertIn(child.pid, inspection.zombies(os.getpid()))
            self.assertEqual(inspection.living({child.pid}), [])
        finally:
            child.kill()
            child.wait()
        self.assertEqual(inspection.group(child.pid), [])

    def test_a_program_is_its_file(self):
        own = os.stat(sys.executable)
        self.assertEqual(inspection.program(os.getpid()), (own.st_dev, own.st_ino))

    def test_descriptors_by_kind(self):
        before = inspection.kinds(os.getpid())
        page = os.memfd_create("page")
        with socket.socket():
            after = inspection.kinds(os.getpid())
        os.close(page)
        self.assertEqual(after["memfd"], before.get("memfd", 0) + 1)
        self.assertEqual(after["socket"], before.get("socket", 0) + 1)

    def test_memory_is_resident_and_partly_its_own(self):
        resident, own = inspection.memory(os.getpid())
        self.assertGreater(resident, own)
        self.assertGreater(own, 0)


class ConnectionTests(unittest.TestCase):
    def test_streams_are_counted_on_the_side_that_connected(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
                self.assertEqual(inspection.streams([os.getpid()], port), {os.getpid(): 1})
            self.assertEqual(len(inspection.connections_to(port)), 0)
            self.assertEqual(inspection.listening([os.getpid()], port), {os.getpid()})
        self.assertEqual(inspection.listening([os.getpid()], port), set())


class RemainsTests(unittest.TestCase):
    def test_files_and_open_sockets_are_found(self):
        with tempfile.TemporaryDirectory() as place:
            self.assertEqual(inspection.remains(place), [])
            path = os.path.join(place, "socket")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen()
                os.unlink(path)
                self.assertEqual(inspection.remains(place), [path])
            os.mkdir(os.path.join(place, "below"))
            with open(os.path.join(place, "below", "file"), "w", encoding="ascii"):
                self.assertEqual(inspection.remains(place), [os.path.join(place, "below", "file")])


if __name__ == "__main__":
    unittest.main()
