"""The chart."""

import unittest
import xml.etree.ElementTree

from chart import HOLDFAST, LEFT, OWN, SERVER, SPAN, WIDTH, Bar, chart
from figures import CLOSED
from sample import run, sitting, whole

SVG = "{http://www.w3.org/2000/svg}"


def bars(document, colour):
    """Left edge and width of the bars, without the legend's."""
    root = xml.etree.ElementTree.fromstring(document)
    found = [(float(each.get("x")), float(each.get("width"))) for each in root.iter(SVG + "rect") if each.get("fill") == colour]
    return found[1:]


class ChartTests(unittest.TestCase):
    def test_a_bar_is_split_as_server_and_manager_share_the_cost(self):
        bar = Bar(whole(), CLOSED, "prosody")
        self.assertAlmostEqual(bar.total, 0.625)
        self.assertAlmostEqual(bar.holdfast, 0.125)
        self.assertAlmostEqual(bar.server, 0.5)

    def test_the_servers_own_bosh_is_one_and_the_others_are_drawn_to_its_scale(self):
        document = chart(whole())
        own, server, holdfast = (bars(document, colour) for colour in (OWN, SERVER, HOLDFAST))
        self.assertEqual([len(own), len(server), len(holdfast)], [8, 8, 8])
        # The longest of all is the memory of server and Holdfast.
        scale = SPAN / (3_276_800 / 3_072_000)
        for x, width in own:
            self.assertAlmostEqual(x, LEFT, 1)
            self.assertAlmostEqual(width, scale, delta=0.1)
        self.assertAlmostEqual(server[0][1], 0.5 * scale, delta=0.1)
        self.assertAlmostEqual(holdfast[0][0], LEFT + server[0][1], delta=0.11)
        self.assertAlmostEqual(holdfast[0][1], 0.125 * scale, delta=0.1)

    def test_nothing_leaves_the_picture_however_long_a_bar_is(self):
        document = chart(sitting([run("closed", "prosody", 0, [0.1]), run("closed", "holdfast-prosody", 0, [0.8, 0.2])]))
        for colour in (OWN, SERVER, HOLDFAST):
            drawn = bars(document, colour)
            self.assertTrue(drawn, colour)
            for x, width in drawn:
                self.assertLessEqual(x + width, WIDTH - 60)
        self.assertIn(">10.00<", document)


if __name__ == "__main__":
    unittest.main()
