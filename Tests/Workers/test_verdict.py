"""What counts as wrong, and what a worker's death explains."""

import math
import unittest

import verdict
from verdict import Event, Process


def report(**changed):
    return {"sessions": 100, "live_sessions": 100, "received": 900, "lost": 0, "doubled": 0, "out_of_order": 0,
            "failed_sessions": 0, "ended_sessions": 30, "connection_losses": 2, "repeats_502": 30, "repeats_503": 1,
            "repeats_504": 0, "most_repeats_in_turn": 1, "p99_ms": 2.5, "to": "self", **changed}


class TrafficTests(unittest.TestCase):
    def test_what_a_death_explains_is_no_fault(self):
        self.assertEqual(verdict.traffic(report(), [15, 15]), [])

    def test_every_kind_of_damage_is_a_fault(self):
        for name in verdict.FAULTS:
            self.assertEqual(verdict.traffic(report(**{name: 1}), [30]), [f"{name} 1"])

    def test_a_death_takes_no_more_than_its_own_sessions(self):
        self.assertEqual(len(verdict.traffic(report(ended_sessions=63), [30])), 1)
        self.assertEqual(verdict.traffic(report(ended_sessions=62), [30]), [])
        self.assertEqual(len(verdict.traffic(report(ended_sessions=1), [])), 2)

    def test_requests_fail_only_around_a_death_and_once(self):
        self.assertEqual(len(verdict.traffic(report(repeats_503=1000), [30])), 1)
        self.assertEqual(verdict.traffic(report(most_repeats_in_turn=2), [30]), ["a request failed 2 times in turn"])

    def test_all_sessions_live_and_receive(self):
        self.assertEqual(len(verdict.traffic(report(live_sessions=99, received=0), [30])), 2)

    def test_reports_are_added_up(self):
        both = verdict.sums([report(), report(lost=2, most_repeats_in_turn=3)])
        self.assertEqual((both["sessions"], both["lost"], both["most_repeats_in_turn"]), (200, 2, 3))
        self.assertEqual(verdict.repeats(both), 66)
        self.assertNotIn("p99_ms", both)


class JournalTests(unittest.TestCase):
    def test_lines_become_events(self):
        self.assertEqual(verdict.event("at 1500000000 arrival 700\n"), Event(1.5, "arrival", 700))
        self.assertEqual(verdict.event("at 2000000000 failure 502\n"), Event(2.0, "failure", 502))
        self.assertEqual(verdict.event("at 2000000000 failure -\n"), Event(2.0, "failure", None))
        self.assertEqual(verdict.event("at 2000000000 end -\n"), Event(2.0, "end", None))

    def test_failures_belong_to_a_death(self):
        events = [Event(9.0, "arrival", 700), Event(10.0, "failure", 502), Event(10.1, "end", None),
                  Event(10 + verdict.AFTERMATH, "failure", None)]
        self.assertEqual(verdict.misplaced(events, [10.0]), [])

    def test_failures_without_a_death_are_faults_by_their_kind(self):
        events = [Event(9.9, "failure", 502), Event(9.9, "failure", 502), Event(1.0, "failure", None),
                  Event(10 + verdict.AFTERMATH + 0.1, "end", None)]
        faults = verdict.misplaced(events, [10.0])
        self.assertEqual([fault.partition(" while")[0] for fault in faults],
                         ["2 requests failed with 502", "1 requests failed with no response", "1 sessions ended"])
        self.assertEqual(len(verdict.misplaced(events, [])), 3)

    def test_a_percentile_is_one_of_the_values(self):
        self.assertEqual(verdict.percentile(range(1, 101), 99), 99)
        self.assertEqual(verdict.percentile([5, 1, 3], 99), 5)
        self.assertEqual(verdict.percentile([7], 50), 7)

    def test_the_slowest_span_counts(self):
        events = [Event(instant / 100, "arrival", 1000 + instant) for instant in range(1000)] + [Event(2.5, "failure", 502)]
        self.assertEqual(verdict.slowest(events, [(1, 1.5), (2, 2.5)]), 1.25)
        self.assertEqual(verdict.slowest([Event(1, "arrival", 60_000), *events], [(0.5, 1)]), 60)

    def test_a_span_in_which_nothing_came_is_no_proof(self):
        self.assertEqual(verdict.slowest([], [(0, 1)]), math.inf)
        self.assertEqual(verdict.slowest([Event(0.5, "arrival", 1000)], [(0, 1), (2, 3)]), math.inf)


class SpreadTests(unittest.TestCase):
    def test_two_in_a_hundred_are_even(self):
        self.assertEqual(verdict.spread([1020, 980]), [])
        self.assertEqual(len(verdict.spread([1021, 979])), 2)

    def test_few_sessions_are_even_within_a_handful(self):
        self.assertEqual(verdict.spread([107, 93]), [])
        self.assertEqual(len(verdict.spread([108, 92])), 2)


class RestTests(unittest.TestCase):
    def test_fewer_descriptors_and_less_memory_are_fine(self):
        self.assertEqual(verdict.at_rest("w", Process({"socket": 5, "memfd": 2}, 9 << 20), Process({"socket": 4}, 8 << 20)), [])

    def test_each_kind_of_descriptor_counts_for_itself(self):
        faults = verdict.at_rest("w", Process({"socket": 5, "pipe": 4}, 0), Process({"socket": 6, "memfd": 1}, 0))
        self.assertEqual(faults, ["w: 1 descriptors 'memfd', 0 before", "w: 6 descriptors 'socket', 5 before"])

    def test_memory_may_grow_up_to_the_bound(self):
        self.assertEqual(verdict.at_rest("w", Process({}, 0), Process({}, verdict.GROWTH)), [])
        self.assertEqual(len(verdict.at_rest("w", Process({}, 0), Process({}, verdict.GROWTH + 1))), 1)


if __name__ == "__main__":
    unittest.main()
