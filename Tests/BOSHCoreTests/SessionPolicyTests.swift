import BOSHCore
import Bridge
import Testing

@Suite struct SessionPolicyTests {
    private static let policy = SessionHarness.policy

    private static func judge(
        rid: NumberAttribute = .value(10), to: PeerText? = "example.org", wait: NumberAttribute = .absent,
        hold: NumberAttribute = .absent, version: ProtocolVersion? = nil
    ) throws(SessionOpening.Refusal) -> SessionOpening {
        var attributes = BodyAttributes()
        attributes.rid = rid
        attributes.rare.to = to
        attributes.rare.wait = wait
        attributes.rare.hold = hold
        attributes.rare.version = version
        return try SessionOpening(judging: attributes, by: policy)
    }

    @Test("S-14 absent attributes get the defaults")
    func defaults() throws {
        let opening = try Self.judge()
        #expect(opening.rid.value == 10)
        #expect(opening.wait == .seconds(60))
        #expect(opening.hold == 1 && opening.requests == 2)
        #expect(opening.version == nil)
        #expect(opening.account == nil && opening.language == nil)
        #expect(!opening.isPolling)
    }

    @Test("S-25 from and xml:lang are kept for the stream header")
    func keepsAddresses() throws {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = "Example.ORG"
        attributes.rare.from = "a@example.org"
        attributes.rare.language = "de"
        let opening = try SessionOpening(judging: attributes, by: Self.policy)
        #expect(opening.domain == "example.org")
        #expect(opening.account == "a@example.org" && opening.language == "de")
    }

    @Test(
        "S-04 wait is what was asked for, and at most the policy's",
        arguments: [(UInt64(0), 0), (1, 1), (59, 59), (60, 60), (61, 60), (65_535, 60), (9_007_199_254_740_991, 60)])
    func clampsWait(asked: UInt64, granted: Int) throws {
        #expect(try Self.judge(wait: .value(asked)).wait == .seconds(granted))
    }

    @Test(
        "S-05 S-06 hold is what was asked for, and at most the policy's; requests is one more and never one",
        arguments: [(UInt64(0), 0, 2), (1, 1, 2), (2, 2, 3), (3, 3, 4), (4, 3, 4), (9_007_199_254_740_991, 3, 4)])
    func clampsHold(asked: UInt64, hold: Int, requests: Int) throws {
        let opening = try Self.judge(hold: .value(asked))
        #expect(opening.hold == hold && opening.requests == requests)
        #expect(opening.requests > opening.hold)
    }

    @Test("S-07 the lower version is spoken")
    func negotiatesVersion() throws {
        for (asked, spoken) in [("1.6", "1.6"), ("1.10", "1.10"), ("1.11", "1.11"), ("1.12", "1.11"), ("2.0", "1.11")] {
            let version = ProtocolVersion(parsing: Array(asked.utf8).span)
            #expect(try Self.judge(version: version).version?.text == spoken)
        }
    }

    @Test("P-09 a client that does not want to be held is a polling one")
    func recognisesPolling() throws {
        #expect(try Self.judge(wait: .value(0)).isPolling)
        #expect(try Self.judge(hold: .value(0)).isPolling)
        #expect(try !Self.judge(wait: .value(1), hold: .value(1)).isPolling)
    }

    @Test("P-10 a polling client may be silent for longer, by more than polling")
    func grantsInactivity() throws {
        let id = SessionID(node: NodeName(ofHost: "n"), worker: 1, high: 2, low: 3)
        let stream = StreamName(bits: 4)
        let held = try Self.judge(hold: .value(1)).grant(sid: id, stream: stream, policy: Self.policy)
        let polling = try Self.judge(hold: .value(0)).grant(sid: id, stream: stream, policy: Self.policy)
        #expect(held.inactivity == .seconds(30))
        #expect(polling.inactivity > .seconds(30) + Self.policy.polling)
    }

    @Test("S-03 S-08 S-09 S-10 S-11 the grant says what is agreed")
    func grants() throws {
        let id = SessionID(node: NodeName(ofHost: "n"), worker: 1, high: 2, low: 3)
        let stream = StreamName(bits: 4)
        let version = ProtocolVersion(major: 1, minor: 6)
        let opening = try Self.judge(to: "EXAMPLE.org", wait: .value(20), hold: .value(2), version: version)
        #expect(
            opening.grant(sid: id, stream: stream, policy: Self.policy)
                == SessionGrant(
                    sid: id, wait: .seconds(20), requests: 3, hold: 2, version: version, polling: .seconds(5),
                    inactivity: .seconds(30), maxpause: .seconds(120), from: "example.org", stream: stream,
                    ack: opening.rid))
    }

    @Test(
        "S-19 a rid that is none is a bad request",
        arguments: [.absent, .malformed, .value(0), .value(9_007_199_254_740_992)] as [NumberAttribute])
    func refusesRid(rid: NumberAttribute) {
        #expect(throws: SessionOpening.Refusal.condition(.badRequest)) { try Self.judge(rid: rid) }
    }

    @Test("S-20 wait and hold that are no numbers are a bad request")
    func refusesNumbers() {
        #expect(throws: SessionOpening.Refusal.condition(.badRequest)) { try Self.judge(wait: .malformed) }
        #expect(throws: SessionOpening.Refusal.condition(.badRequest)) { try Self.judge(hold: .malformed) }
    }

    @Test("T-01 S-01 a terminate without sid begins nothing, whatever else it says", arguments: [true, false])
    func terminateBeginsNothing(isComplete: Bool) {
        var attributes = BodyAttributes()
        attributes.type = .terminate
        if isComplete {
            attributes.rid = .value(10)
            attributes.rare.to = "example.org"
            attributes.isRestart = true
        }
        #expect(throws: SessionOpening.Refusal.nothingToEnd) {
            try SessionOpening(judging: attributes, by: Self.policy)
        }
    }

    @Test("S-01 P-03 X-08 M-05 what only a session can be asked begins none")
    func sessionMattersBeginNothing() throws {
        var creation = BodyAttributes()
        creation.rid = .value(10)
        creation.rare.to = "example.org"
        #expect(throws: Never.self) { try SessionOpening(judging: creation, by: Self.policy) }
        var (pause, restart, stream, other) = (creation, creation, creation, creation)
        pause.pause = .value(60)
        restart.isRestart = true
        stream.rare.stream = "s1"
        for attributes in [pause, restart, stream] {
            #expect(throws: SessionOpening.Refusal.condition(.itemNotFound)) {
                try SessionOpening(judging: attributes, by: Self.policy)
            }
        }
        other.type = .other
        #expect(throws: Never.self) { try SessionOpening(judging: other, by: Self.policy) }
    }

    @Test("S-18 an opening carries its route to the upstream")
    func opens() throws {
        var policy = Self.policy
        policy.domains = ServedDomains(
            names: ["example.org": []], fallback: "example.org", routes: ["xmpp.example.net:5222"])
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.route = "xmpp:xmpp.example.net:5222"
        let opening = try SessionOpening(judging: attributes, by: policy)
        #expect(opening.domain == "example.org" && opening.route == "xmpp.example.net:5222")
    }

    @Test("S-15 without a domain there is nobody to talk to", arguments: [nil, ""] as [PeerText?])
    func refusesNoDomain(to: PeerText?) {
        #expect(throws: SessionOpening.Refusal.condition(.improperAddressing)) { try Self.judge(to: to) }
    }

    @Test(
        "S-16 a domain that is not served is unknown",
        arguments: ["example.com", "example.org..", "sub.example.org", "user@example.org", " example.org", "*"]
            as [PeerText])
    func refusesDomain(to: PeerText) {
        #expect(throws: SessionOpening.Refusal.condition(.hostUnknown)) { try Self.judge(to: to) }
    }
}
