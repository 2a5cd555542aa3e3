"""What is written into the documents."""

import json
import unittest

from chart import chart
from document import IMAGE, NOT_MEASURED, documents, splice
from sample import whole
from tables import report

FILES = {
    "README.md": "a\n- **Small.** <!-- peers: begin -->stale<!-- peers: end -->\n<!-- peers chart: begin -->\n<!-- peers chart: end -->\nz\n",
    "docs/performance.md": "a\n<!-- peers: begin -->\nstale\n<!-- peers: end -->\nz\n",
}


class DocumentTests(unittest.TestCase):
    def test_only_what_is_between_the_marks_is_replaced(self):
        self.assertEqual(splice("1<!-- a: begin -->2\n3<!-- a: end -->4<!-- b: begin -->5<!-- b: end -->", "a", r"\1"),
                         r"1<!-- a: begin -->\1<!-- a: end -->4<!-- b: begin -->5<!-- b: end -->")

    def test_a_document_without_the_marks_or_with_two_pairs_is_an_error(self):
        pair = "<!-- a: begin --><!-- a: end -->"
        for text in ("", "<!-- a: begin -->", pair + pair):
            with self.assertRaises(ValueError):
                splice(text, "a", "b")

    def test_readme_tables_and_chart_come_from_the_sitting(self):
        sitting = whole()
        found = documents(sitting, FILES.get)
        self.assertIn(report(sitting), found["docs/performance.md"])
        self.assertEqual(found["docs/peers.svg"], chart(sitting))
        self.assertIn(IMAGE, found["README.md"])
        self.assertIn("2.00 KiB", found["README.md"])
        self.assertNotIn("stale", found["README.md"] + found["docs/performance.md"])

    def test_lines_of_the_readme_stay_in_their_list_item(self):
        item = documents(whole(), FILES.get)["README.md"].split("**Small.**")[1].split("<!-- peers: end -->")[0]
        lines = item.splitlines()[1:]
        self.assertTrue(lines)
        for line in lines:
            self.assertTrue(line.startswith("  ") and len(line) <= 120, line)

    def test_writing_twice_says_the_same(self):
        once = documents(whole(), FILES.get)
        self.assertEqual(documents(json.loads(json.dumps(whole())), once.get), once)

    def test_without_a_sitting_there_is_no_figure_and_no_chart(self):
        found = documents(None, documents(whole(), FILES.get).get)
        self.assertIn(NOT_MEASURED, " ".join(found["README.md"].split()))
        self.assertNotIn("KiB", found["README.md"] + found["docs/performance.md"])
        self.assertNotIn(IMAGE, found["README.md"])
        self.assertIsNone(found["docs/peers.svg"])


if __name__ == "__main__":
    unittest.main()
