import Bridge
import Testing

@testable import PollingCore

/// The head of a body, and the keys.
@Suite struct HeadTests {
    private static func head(_ text: String) -> PollingHead? { PollingHead(of: Array(text.utf8).span) }

    @Test("Q-03 Q-10: identifier, key and new key up to the first comma")
    func reads() throws {
        let plain = try #require(Self.head("0,<stream:stream>,\r\n"))
        #expect(plain.beginsSession && plain.key == nil && plain.newKey == nil && plain.count == 2)
        let keyed = try #require(Self.head("n1-7-ab;VvxEk07IFy6hUmG/PPBlTLE2fiA=,"))
        #expect(!keyed.beginsSession && keyed.identifier == Array("n1-7-ab".utf8))
        #expect(keyed.key == "VvxEk07IFy6hUmG/PPBlTLE2fiA=" && keyed.newKey == nil && keyed.count == 37)
        let both = try #require(Self.head("a;b;c=,rest"))
        #expect(both.key == "b" && both.newKey == "c=" && both.count == 7)
        #expect(Self.head("0:0,")?.identifier == Array("0:0".utf8))
        #expect(Self.head("00,")?.beginsSession == false)
    }

    @Test(
        "hostile cases 1 to 4: heads that are refused",
        arguments: [
            "", "0", ",", ",x", ";,", "0;,", "0;;,", "0;k;,", "0;k;n;x,", "a.b,", "%3A,", " 0,", "0 ,", "\r\n0,",
            "ü,", "0;a b,", "0;\u{1},", "0;ü,", String(repeating: "a", count: 256) + ",",
            "0;" + String(repeating: "k", count: 65) + ",", "0;k;" + String(repeating: "n", count: 65) + ",",
            String(repeating: "a", count: 10_240) + ",",
        ])
    func refuses(text: String) { #expect(Self.head(text) == nil) }

    @Test("Q-03: the longest head and the longest key")
    func bounds() {
        #expect(Self.head(String(repeating: "a", count: 255) + ",")?.count == 256)
        #expect(Self.head("0;" + String(repeating: "k", count: 64) + ",")?.key?.count == 64)
    }

    @Test("Q-16 Q-17 Q-18: each key's hash is the last key, or the last new key")
    func followsChain() {
        let now = SessionHarness().now
        var keys = PollingKeys(first: "K5")
        #expect(keys.accept("K4", digest: "K5", newKey: nil, now: now) == true)
        #expect(keys.accept("k3", digest: "k4", newKey: nil, now: now) == false)
        #expect(keys.accept(nil, digest: nil, newKey: nil, now: now) == false)
        #expect(keys.accept("K3", digest: "K4", newKey: "L5", now: now) == true)
        #expect(keys.accept("K2", digest: "K3", newKey: nil, now: now) == false)
        #expect(keys.accept("L4", digest: "L5", newKey: nil, now: now) == true)
    }

    @Test("Q-19: a session that began without a key ignores keys")
    func ignoresKeys() {
        let now = SessionHarness().now
        var keys = PollingKeys(first: nil)
        #expect(!keys.areUsed)
        #expect(keys.accept("x", digest: "y", newKey: nil, now: now) == true)
        #expect(keys.accept(nil, digest: nil, newKey: nil, now: now) == true)
    }

    @Test("Q-13 hostile case 6: after ten wrong keys one a second is looked at")
    func boundsWrongKeys() {
        var now = SessionHarness().now
        var keys = PollingKeys(first: "K2")
        for _ in 0..<10 { #expect(keys.accept("x", digest: "y", newKey: nil, now: now) == false) }
        #expect(!keys.areLookedAt(now: now))
        #expect(keys.accept("K1", digest: "K2", newKey: nil, now: now) == false)
        now = now.advanced(by: .seconds(1))
        #expect(keys.accept("K1", digest: "K2", newKey: nil, now: now) == true)
        #expect(keys.areLookedAt(now: now))
    }
}
