"""How idle sessions are shared out, and their table."""

import stage  # noqa: F401, sets the path
import idle
import unittest


class PartTests(unittest.TestCase):
    def test_all_sessions_are_shared_out(self):
        for wanted in (1, 5999, 6000, 6001, 18000, 100_001):
            self.assertEqual(sum(idle.parts(wanted)), wanted)
            self.assertLessEqual(max(idle.parts(wanted)), idle.MOST)


class ListenerTests(unittest.TestCase):
    def test_no_listener_gets_more_than_one_address_has_ports_for(self):
        for wanted in (1, 18_000, 18_001, 72_000):
            ports = list(range((wanted - 1) // idle.SERVED + 1))
            counts = dict.fromkeys(ports, 0)
            for number, count in enumerate(idle.parts(wanted)):
                counts[idle.listener(number, ports)] += count
            self.assertLessEqual(max(counts.values()), idle.SERVED)
            self.assertEqual(sum(counts.values()), wanted)


class TableTests(unittest.TestCase):
    def test_a_session_costs_what_the_workers_have_grown_by(self):
        before = {1: (9 << 20, 1 << 20), 2: (9 << 20, 1 << 20)}
        after = {1: (9 << 20, 1 << 20), 2: (10 << 20, 3 << 20)}
        rows = idle.table(1, {2: 1024}, before, after)
        self.assertEqual(rows[1], ["supervisor", "0", "9.0 MiB", "1.0 MiB", "-"])
        self.assertEqual(rows[2], ["worker 1", "1024", "10.0 MiB", "3.0 MiB", "2.00 KiB"])
        self.assertEqual(rows[3], ["all", "1024", "19.0 MiB", "4.0 MiB", "2.00 KiB"])


if __name__ == "__main__":
    unittest.main()
