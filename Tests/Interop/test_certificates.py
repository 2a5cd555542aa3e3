"""The server's certificate, of every kind that there is, by STARTTLS and by direct TLS (X-18, X-19, S-17)."""

from support import gateway
from support.case import Case, holdfast_only
from support.certificates import Authority, service_name, xmpp_address

# Domain: the names in its certificate.
GOOD = {
    "good.localhost": ["DNS:good.localhost"],
    "chat.wild.localhost": ["DNS:*.wild.localhost"],
    "service.localhost": [service_name("service.localhost")],
    "address.localhost": [xmpp_address("address.localhost")],
    "b\u00fccher.localhost": ["DNS:xn--bcher-kva.localhost"],
}
# Domain: the names, and what is counted and logged.
BAD = {
    "expired.localhost": (["DNS:expired.localhost"], "expired"),
    "future.localhost": (["DNS:future.localhost"], "not-yet-valid"),
    "itself.localhost": (["DNS:itself.localhost"], "untrusted-ca"),
    "stranger.localhost": (["DNS:stranger.localhost"], "untrusted-ca"),
    "wrong.localhost": (["DNS:elsewhere.localhost", xmpp_address("elsewhere.localhost")], "wrong-name"),
    "a.deep.localhost": (["DNS:*.localhost"], "wrong-name"),
    "foreign.localhost": ([service_name("foreign.localhost").replace("client", "server")], "wrong-name"),
}
YEARS = {"expired.localhost": (-3, -2), "future.localhost": (2, 3)}


@holdfast_only
class Certificates(Case):
    every_upstream = True

    @classmethod
    def server_options(cls):
        cls.certificates = Authority(cls.scratch.sub("ca"))
        stranger = Authority(cls.scratch.sub("stranger"))
        hosts = {}
        for domain, names in {**GOOD, **{domain: names for domain, (names, _) in BAD.items()}}.items():
            label = domain.encode("idna").decode()
            if domain == "itself.localhost":
                hosts[domain] = cls.certificates.issue_itself(label, names)
            else:
                authority = stranger if domain == "stranger.localhost" else cls.certificates
                hosts[domain] = authority.issue(label, names, YEARS.get(domain, (-1, 1)))
        return {"hosts": hosts}

    def encrypted(self, tls, **settings):
        port = self.server.direct_port if tls == "direct" else self.server.plain_port
        return self.configured({
            "domain": [*GOOD, *BAD], "upstream": [f"127.0.0.1:{port}"], "upstream-tls": tls,
            "upstream-ca": self.certificates.certificate, "upstream-breaker-failures": 0, **settings})

    async def good(self, tls):
        service = self.encrypted(tls)
        for domain in GOOD:
            if tls == "direct" and gateway.upstream == "prosody" and not domain.isascii():
                continue  # Prosody 0.12 does not find such a host by the A-labels that SNI has.
            with self.subTest(domain=domain):
                session = await self.anonymous(service, domain)
                self.assertEqual(session.jid.partition("/")[0].partition("@")[2], domain)
                site = service.statistics()["sites"][domain]
                self.assertEqual((site["streams_opened"], site["streams_now"], site["handshake_time"]["count"]), (1, 1, 1))

    async def bad(self, tls):
        service = self.encrypted(tls)
        counts = {}
        for domain, (_, label) in BAD.items():
            with self.subTest(domain=domain):
                seen = len(service.log())
                await self.refused(service, domain)
                self.assertIn(f"upstream tls-{label}", service.log()[seen:])
                statistics = service.statistics()
                counts[label] = counts.get(label, 0) + 1
                self.assertEqual(statistics["upstream"]["failures"][f"tls-{label}"], counts[label])
                site = statistics["sites"][domain]
                self.assertEqual((site["failures"]["tls"], site["streams_opened"]), (1, 0))

    async def test_good_by_starttls(self):
        await self.good("starttls")

    async def test_good_by_direct_tls(self):
        await self.good("direct")

    async def test_bad_by_starttls(self):
        await self.bad("starttls")

    async def test_bad_by_direct_tls(self):
        await self.bad("direct")

    async def test_a_name_in_a_labels_is_the_same_domain(self):
        service = self.encrypted("starttls")
        session = await self.anonymous(service, "xn--bcher-kva.localhost")
        self.assertEqual(session.jid.partition("/")[0].partition("@")[2], "b\u00fccher.localhost")

    async def test_a_domain_with_a_bad_certificate_leaves_the_server_s_other_domains_alone(self):
        """The circuit breaker is for servers that are dead."""
        service = self.encrypted("starttls", **{"upstream-breaker-failures": 2})
        for _ in range(2):
            await self.refused(service, "wrong.localhost")
        for _ in range(2):  # it is left alone from now on
            await self.turned_away(service, "wrong.localhost")
        await self.anonymous(service, "good.localhost")
