"""The orders in which requests are made."""

import stage  # noqa: F401, sets the path
import speed
import unittest
from collections import Counter
from typing import NamedTuple


class Client(NamedTuple):
    name: str
    worker: str


class OrderTests(unittest.TestCase):
    def test_both_orders_have_the_same_requests_and_one_moves_each_time(self):
        clients = [Client("a", "1"), Client("b", "2"), Client("c", "2"), Client("d", "1"), Client("e", "1")]
        staying, moving = speed.orders(clients, 100)
        self.assertEqual(len(staying), 100)
        self.assertEqual(Counter(staying), Counter(moving))

        def moves(order):
            return sum(first.worker != second.worker for first, second in zip(order, order[1:]))
        self.assertEqual((moves(staying), moves(moving)), (1, 99))

    def test_sessions_of_one_worker_alone_are_refused(self):
        with self.assertRaises(AssertionError):
            speed.orders([Client("a", "1"), Client("b", "1")], 10)

class FloorTests(unittest.TestCase):
    def test_the_kernels_part_is_measured(self):
        found = speed.floor()
        if found is None:
            self.skipTest("no C compiler")
        self.assertEqual(len(found), 2)
        self.assertTrue(all(float(each) > 0 for each in found))


if __name__ == "__main__":
    unittest.main()
