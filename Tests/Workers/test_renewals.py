"""The steps of a run, the configuration that it writes, and its table."""

import stage  # noqa: F401, sets the path
import renewable
import renewals
import tomllib
import unittest
from collections import Counter


class StepTests(unittest.TestCase):
    def test_the_long_run_has_what_it_promises(self):
        self.assertEqual(Counter(renewals.STEPS), {"reload": 10, "upgrade": 3, "bad reload": 1, "bad upgrade": 1, "kill": 5,
                                                   "supervisor": 1})

    def test_the_short_run_has_one_of_everything_and_two_reloads_and_loses_a_supervisor_more(self):
        self.assertEqual(Counter(renewals.FEW_STEPS), {**dict.fromkeys(renewals.STEPS, 1), "reload": 2,
                                                       "supervisor in a reload": 1})

    def test_in_the_end_the_second_port_is_closed_again(self):
        for steps in (renewals.STEPS, renewals.FEW_STEPS):
            self.assertEqual(Counter(steps)["reload"] % 2, 0)

    def test_no_worker_dies_just_before_forwarding_is_measured(self):
        for before, after in zip(renewals.FEW_STEPS, renewals.FEW_STEPS[1:]):
            self.assertNotEqual((before, after), ("kill", "reload"))


class FileTests(unittest.TestCase):
    def test_it_has_what_changes(self):
        text = renewable.file_text(port=1, others=["unix:/a", "127.0.0.1:2"], admin=3, control="/c", workers=4, inactivity=5,
                                   wait=6, upstream=7)
        found = tomllib.loads(text)
        self.assertEqual(found["listen"], ["127.0.0.1:1", "unix:/a", "127.0.0.1:2"])
        self.assertEqual((found["max-wait"], found["workers"], found["control"]), (6, 4, "unix:/c"))
        self.assertEqual(found["domains"], {"bench.test": {"upstream": "127.0.0.1:7", "upstream-tls": "none"}})

    def test_each_reload_changes_the_longest_wait(self):
        self.assertNotEqual(*renewable.WAITS)


class RowTests(unittest.TestCase):
    def test_it_has_a_cell_for_each_heading(self):
        found = {"spread": [1, 2], "victims": [3], "ended_sessions": 3, "received": 4, "ended_received": 5, "lost": 0,
                 "doubled": 0, "out_of_order": 0, "connection_losses": 0, "repeats_502": 3, "repeats_503": 0, "repeats_504": 0,
                 "most_repeats_in_turn": 1, "moved": 6, "p99_ms": 7.0, "max_ms": 8.0, "grown": 1024, "most_workers": 9,
                 "late": {"reload": 1.0, "upgrade": 2.0, "supervisor": 3.0}}
        row = renewals.row("nginx", found)
        self.assertEqual(len(row), len(renewals.HEADINGS))
        self.assertEqual(dict(zip(renewals.HEADINGS, row))["p99 ms: at a reload / upgrade / new supervisor"],
                         "1.0 / 2.0 / 3.0")
        self.assertEqual((row[2], row[-1]), ("9", "1 KiB"))


if __name__ == "__main__":
    unittest.main()
