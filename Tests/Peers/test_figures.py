"""Medians, ratios and faults of a sitting."""

import unittest

import figures
from figures import CLOSED, CLOSED_REQUEST, LOGIN, MEMORY, Ratio
from sample import run, sitting, whole


class FiguresTests(unittest.TestCase):
    def test_the_cost_of_a_message_is_the_median_of_the_rounds(self):
        runs = [run("closed", "prosody", number, [seconds]) for number, seconds in enumerate((0.1, 0.9, 0.3))]
        self.assertAlmostEqual(figures.middle(sitting(runs), CLOSED, "prosody"), 0.003)

    def test_manager_and_server_count_together_and_apart(self):
        found = sitting([run("closed", "holdfast-prosody", 0, [0.3, 0.1])])
        self.assertAlmostEqual(figures.middle(found, CLOSED, "holdfast-prosody"), 0.004)
        self.assertAlmostEqual(figures.middle(found, CLOSED, "holdfast-prosody", ("server",)), 0.003)
        self.assertAlmostEqual(figures.middle(found, CLOSED, "holdfast-prosody", ("manager",)), 0.001)

    def test_a_null_server_does_not_count(self):
        found = sitting([run("closed", "holdfast", 0, [0.1])])
        found["runs"][0]["processor"]["server"] = 9.0
        self.assertAlmostEqual(figures.middle(found, CLOSED, "holdfast"), 0.001)

    def test_each_quantity_has_its_unit(self):
        found = sitting([run("closed", "nginx", 0, [0.2]), run("idle", "nginx", 0, [0.5], [102_400])])
        self.assertAlmostEqual(figures.middle(found, CLOSED_REQUEST, "nginx"), 0.001)
        self.assertAlmostEqual(figures.middle(found, LOGIN, "nginx"), 0.005)
        self.assertAlmostEqual(figures.middle(found, MEMORY, "nginx"), 1024)

    def test_a_ratio_is_taken_within_a_round(self):
        # Each round is slower than the one before; what is divided is not.
        runs = []
        for number, (slow, ratio) in enumerate(((1, 0.5), (10, 0.4), (100, 0.7))):
            runs += [run("closed", "prosody", number, [slow]),
                     run("closed", "holdfast-prosody", number, [slow * ratio * 0.75, slow * ratio * 0.25])]
        found = figures.ratio(sitting(runs), CLOSED, "holdfast-prosody", "prosody")
        for value, expected in zip(found, Ratio(0.5, 0.4, 0.7)):
            self.assertAlmostEqual(value, expected)

    def test_a_round_that_one_of_them_lacks_is_left_out(self):
        runs = [run("closed", "prosody", 0, [0.4]), run("closed", "holdfast-prosody", 0, [0.1, 0.1]),
                run("closed", "prosody", 1, [0.4]),
                run("closed", "prosody", 2, [0.4], units=0), run("closed", "holdfast-prosody", 2, [0.4, 0.4])]
        self.assertEqual(figures.ratio(sitting(runs), CLOSED, "holdfast-prosody", "prosody"), Ratio(0.5, 0.5, 0.5))

    def test_what_was_not_measured_is_none(self):
        empty = sitting([])
        self.assertIsNone(figures.middle(empty, CLOSED, "prosody"))
        self.assertIsNone(figures.ratio(empty, CLOSED, "holdfast-prosody", "prosody"))
        self.assertIsNone(figures.seen(empty, "closed", "prosody", "p50_ms"))

    def test_what_clients_saw_is_a_median_and_what_they_missed_a_sum(self):
        found = whole()
        self.assertEqual(figures.seen(found, "paced", "prosody", "p99_ms"), 6.0)
        self.assertEqual(figures.total(found, "prosody", "sent"), 900)

    def test_faults_name_the_target_and_what_happened(self):
        found = whole()
        self.assertEqual(figures.faults(found, ["holdfast-prosody", "holdfast"]), [])
        runs = [run("cut", "holdfast-prosody", 0, [1, 1], lost=2), run("cut", "holdfast-prosody", 1, [1, 1], lost=1),
                run("idle", "prosody", 0, [1], [1], failed_sessions=7)]
        self.assertEqual(figures.faults(sitting(runs), ["holdfast-prosody"]), ["holdfast-prosody: lost 3"])

    def test_other_work_is_the_median_of_all_runs(self):
        self.assertAlmostEqual(figures.others(whole()), 0.05)


if __name__ == "__main__":
    unittest.main()
