"""How cases are compared, how a proxy is configured for several, and how processes get a part of a core."""

import os
import subprocess
import unittest

import stage
import quota
import sharing
from sharing import Found


class TableTests(unittest.TestCase):
    ROUNDS = [
        [Found(10, 1000, 0), Found(12, 900, 0), Found(13, 1900, 0.4)],
        [Found(20, 1000, 0), Found(22, 900, 0), Found(22, 1700, 0.6)],
        [Found(10, 2000, 0), Found(10, 900, 0), Found(12, 3600, 0.5)],
    ]

    def test_cases_are_compared_within_a_round(self):
        self.assertEqual(sharing.ratio(self.ROUNDS, sharing.TOGETHER, sharing.ONE, lambda one: one.cost), 1.2)
        self.assertEqual(sharing.ratio(self.ROUNDS, sharing.TOGETHER, sharing.ONE, lambda one: one.rate), 1.8)
        self.assertAlmostEqual(sharing.ratio(self.ROUNDS, sharing.TOGETHER, sharing.APART, lambda one: one.cost), 13 / 12)

    def test_a_row_has_the_medians_of_a_case(self):
        rows = sharing.table(self.ROUNDS)
        self.assertEqual(rows[1], ["one worker", "10.0 us", "1.00", "1000", "1.00", "0.00"])
        self.assertEqual(rows[3], ["two that share all", "13.0 us", "1.20", "1900", "1.80", "0.50"])

    def test_a_hand_over_takes_what_sharing_costs(self):
        # (13 - 12) / 0.4, (22 - 22) / 0.6 and (12 - 10) / 0.5
        self.assertAlmostEqual(sharing.handover(self.ROUNDS), 2.5)


class CountsTests(unittest.TestCase):
    def test_turns_are_added_before_anything_is_divided(self):
        turns = [sharing.Counts(0.5, 10_000, 1.0, 2_000), sharing.Counts(0.25, 2_500, 0.25, 500)]
        total = sharing.Counts().plus(turns[0]).plus(turns[1])
        self.assertEqual(total.found(), Found(60, 10_000, 0.2))
        self.assertEqual(total.minus(turns[0]), turns[1])


class FilledTests(unittest.TestCase):
    def test_what_stands_between_the_marks_comes_once_for_each_port(self):
        template = "pool @POOL@\n    # each\nlisten @PORT@ for @BACKEND@\n    # end\nend of @PORT@\n"
        self.assertEqual(stage.filled(template, [1, 2], [3, 4], pool=8),
                         "pool 8\nlisten 1 for 3\nlisten 2 for 4\nend of 1\n")

    def test_a_template_without_marks_has_one_port(self):
        self.assertEqual(stage.filled("listen @PORT@\nserver @BACKEND@\n", [1], [3]), "listen 1\nserver 3\n")

    def test_no_place_is_left_in_the_proxies_files(self):
        for name in stage.Proxy.COMMANDS:
            with open(os.path.join(stage.FOLDER, f"{name}.conf"), encoding="utf-8") as file:
                text = stage.filled(file.read(), [1], [3], directory="/d", pool=8)
            self.assertNotIn("@", text)


class QuotaTests(unittest.TestCase):
    def groups(self, pid):
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            return file.read()

    def test_a_process_is_in_a_group_of_its_own_until_the_bound_is_lifted(self):
        with subprocess.Popen(["sleep", "60"]) as child:
            try:
                before = self.groups(child.pid)
                try:
                    bound = quota.Quota([child.pid], 0.5)
                except quota.Unavailable as error:
                    self.skipTest(str(error))
                self.assertIn(f"holdfast-proof-{child.pid}", self.groups(child.pid))
                bound.lift()
                self.assertNotIn("holdfast-proof", self.groups(child.pid))
                self.assertEqual(len(before.splitlines()), len(self.groups(child.pid).splitlines()))
            finally:
                child.kill()

    def test_a_process_that_does_not_exist_leaves_no_group(self):
        with subprocess.Popen(["true"]) as child:
            child.wait()
        with self.assertRaises(quota.Unavailable):
            quota.Quota([child.pid], 0.5)
        self.assertFalse(any(name.endswith(f"-{child.pid}") for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/cpu")
                             if os.path.isdir(place) for name in os.listdir(place)))


if __name__ == "__main__":
    unittest.main()
