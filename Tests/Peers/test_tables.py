"""The tables and the README's sentence."""

import unittest

import tables
from sample import run, sitting, whole


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


class TablesTests(unittest.TestCase):
    def test_three_digits_count(self):
        for value, text in ((0.01234, "0.0123"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (1234.4, "1234"), (0, "0.0000")):
            self.assertEqual(tables.digits(value), text)

    def test_columns_are_aligned_under_their_head(self):
        self.assertEqual(tables.aligned([["a", "long"], ["wide", "b"]]).splitlines(),
                         ["| a    | long |", "|------|------|", "| wide | b    |"])

    def test_server_and_manager_stand_beside_the_servers_own_bosh(self):
        rows = cells(tables.together(whole()))
        self.assertEqual(len(rows), 2 + 2 * 4)
        self.assertEqual(rows[2], ["Prosody: processor a message, closed loop, 100 sessions", "4.00 ms", "2.00 ms", "0.500 ms",
                                   "2.50 ms", "0.62 (0.62-0.62)"])
        self.assertEqual(rows[9], ["ejabberd: memory an idle session, of 1000", "30.0 KiB", "30.0 KiB", "2.00 KiB", "32.0 KiB",
                                   "1.07 (1.07-1.07)"])

    def test_holdfast_stands_beside_nginx(self):
        rows = cells(tables.alone(whole()))
        self.assertEqual(rows[2], ["processor a request, closed loop", "0.250 ms", "0.200 ms", "1.25 (1.25-1.25)"])
        self.assertEqual(rows[-1], ["memory an idle session, direct TLS to Prosody", "2.00 KiB", "-", "-"])

    def test_clients_have_a_row_for_each_target(self):
        rows = cells(tables.clients(whole()))
        self.assertEqual([row[0] for row in rows[2:]], [*tables.TITLES.values(), *tables.SOCKETS.values()])
        self.assertEqual(rows[2][1:], ["10", "2.0 / 6.0", "2.0 / 6.0 / 10.0", "6.0 / 10.0", "0 / 0 / 0", "900", "0"])

    def test_websockets_stand_beside_the_servers_own(self):
        rows = cells(tables.together(whole(), "-websocket"))
        self.assertEqual(rows[0][1], "own WebSocket")
        self.assertEqual(rows[2], ["Prosody: processor a message, closed loop, 100 sessions", "2.00 ms", "1.00 ms", "0.250 ms",
                                   "1.25 ms", "0.62 (0.62-0.62)"])

    def test_websockets_stand_beside_bosh(self):
        rows = cells(tables.doors(whole()))
        self.assertEqual(rows[2], ["processor a message, closed loop, 100 sessions", "0.500 ms", "0.250 ms", "0.50 (0.50-0.50)"])

    def test_no_websocket_is_cut(self):
        rows = cells(tables.clients(whole()))
        self.assertEqual(rows[-1][4], "- / -")

    def test_a_sitting_without_websockets_has_no_table_of_them(self):
        found = whole()
        found["runs"] = [run for run in found["runs"] if not run["target"].endswith("-websocket")]
        self.assertNotIn("WebSocket", tables.report(found))
        self.assertIn("own WebSocket", tables.report(whole()))

    def test_what_was_not_measured_is_a_dash(self):
        found = sitting([run("closed", "prosody", 0, [0.4])])
        self.assertEqual(cells(tables.together(found))[2][1:], ["4.00 ms", "-", "-", "-", "-"])
        self.assertEqual(cells(tables.clients(found))[2][2:4], ["1.0 / 5.0", "- / - / -"])

    def test_the_conditions_name_versions_machine_and_other_work(self):
        found = " ".join(tables.conditions(whole()).split())
        for part in ("Holdfast 1, Prosody 2, ejabberd 3, nginx 4", "2 cores, a processor, Linux 6.1",
                     "medians of 3 interleaved rounds, 10 s", "other work had 5 % of a core"):
            self.assertIn(part, found)
        self.assertNotIn("failed", found)

    def test_runs_that_failed_are_told(self):
        found = whole() | {"failed": ["round 1  closed  prosody", "round 2  closed  prosody"]}
        self.assertTrue(tables.conditions(found).endswith("2 runs failed and are left out."))

    def test_the_readme_has_only_ratios_and_the_memory_of_a_session(self):
        self.assertEqual(tables.sentence(whole()), (
            "An idle session takes 2.00 KiB; a request takes 1.25 times the processor that nginx needs to pass it through. In units "
            "of what the server with its own BOSH takes, server and Holdfast together take 0.62 (Prosody) and 0.62 (ejabberd) of "
            "the processor for a message in a closed loop, 0.62 (Prosody) and 0.62 (ejabberd) at a low rate, 0.62 (Prosody) and "
            "0.62 (ejabberd) for a log-in, and 1.07 (Prosody) and 1.07 (ejabberd) of the memory of an idle session "
            "(`deploy/bench --peers`, [figures](docs/performance.md))."))


if __name__ == "__main__":
    unittest.main()
