"""The order of the runs, and what a load tells the generator."""

import unittest

import loads
import main
import targets
from figures import PARTS


class OrderTests(unittest.TestCase):
    def test_each_round_begins_with_another_target_and_has_all(self):
        rounds = [main.order("closed", number) for number in range(5)]
        self.assertEqual(len({each[0] for each in rounds}), 5)
        for each in rounds:
            self.assertEqual(set(each), set(targets.TARGETS + targets.WEBSOCKET_TARGETS))

    def test_only_memory_is_measured_over_tls(self):
        self.assertEqual(set(main.order("idle", 0)) - set(main.order("paced", 0)), set(targets.TLS_TARGETS))

    def test_every_target_has_parts_that_count(self):
        self.assertEqual({target.name for target in targets.TARGETS + targets.WEBSOCKET_TARGETS + targets.TLS_TARGETS}, set(PARTS))

    def test_each_server_has_its_own_websocket_beside_holdfasts(self):
        found = {(target.server, target.manager) for target in targets.WEBSOCKET_TARGETS}
        servers = {(server, manager) for server in ("prosody", "ejabberd") for manager in (targets.OWN, targets.HOLDFAST)}
        self.assertEqual(found, servers | {("null", targets.HOLDFAST)})
        self.assertEqual({target.door for target in targets.WEBSOCKET_TARGETS}, {targets.WEBSOCKET})

    def test_no_websocket_is_cut(self):
        self.assertEqual(set(main.order("cut", 0)), set(targets.TARGETS))

    def test_doors_select_the_targets(self):
        self.assertEqual(set(main.order("closed", 3, [targets.WEBSOCKET])), set(targets.WEBSOCKET_TARGETS))
        self.assertEqual(set(main.order("idle", 0, [targets.BOSH])), set(targets.TARGETS + targets.TLS_TARGETS))
        self.assertEqual(main.order("cut", 1, [targets.WEBSOCKET]), [])

    def test_every_load_is_known_to_the_generator(self):
        plan = loads.Plan(rounds=1, seconds=3)
        for load in loads.LOADS:
            self.assertIn("--sessions", plan.arguments(load))
        self.assertEqual(plan.arguments("cut"), plan.arguments("paced") + ["--kill-connections", "50"])


if __name__ == "__main__":
    unittest.main()
