"""The user of a session, as real servers name them."""

import json
import urllib.parse
import urllib.request

from support.case import Case, holdfast_only
from support.prosody import ANONYMOUS


@holdfast_only
class Users(Case):
    every_upstream = True

    def sessions(self, **query):
        url = f"http://127.0.0.1:{self.service.admin_port}/sessions?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)["sessions"]

    async def test_a_bound_resource_names_the_user_in_the_list(self):
        session = await self.anonymous(self.service, ANONYMOUS)
        user = session.jid.partition("/")[0]
        (row,) = self.sessions(user=user)
        self.assertEqual((row["user"], row["domain"]), (user, ANONYMOUS))
        self.assertTrue(row["stream_id8"])
        await session.terminate()
        (row,) = self.sessions(user=user, state="ended")
        self.assertEqual(row["reason"], "terminated")
        self.assertEqual(row["user"], user)
