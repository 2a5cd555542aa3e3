import BOSHCore
import Bridge
import Testing

/// Nobody can fill a session's memory with keys (`K-01`: a key has forty digits).
@Suite struct KeyLengthTests {
    private func newkey(of length: Int) -> [String] {
        var harness = SessionHarness(hold: 1)
        var attributes = BodyAttributes()
        attributes.rid = .value(101)
        attributes.rare.newkey = PeerText(String(repeating: "a", count: length))
        return harness.handle(.request(ExchangeID(connection: 0, number: 1), attributes, payload: []))
    }

    @Test("K-07 a newkey within a session begins a chain up to 64 letters and ends the session beyond")
    func withinSession() {
        #expect(!newkey(of: 64).contains("E: key-mismatch"))
        #expect(newkey(of: 65).contains("E: key-mismatch"))
    }

    @Test("K-01 a newkey at creation is refused beyond 64 letters", arguments: [64, 65])
    func atCreation(length: Int) {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = "example.org"
        attributes.rare.newkey = PeerText(String(repeating: "a", count: length))
        let isAccepted = (try? SessionOpening(judging: attributes, by: SessionHarness.policy)) != nil
        #expect(isAccepted == (length == 64))
    }
}
