import BOSHCore
import Bridge
import Testing

@testable import XMLCodec

/// Attributes of a request that become text have a limit, exact to the byte, however they are written.
@Suite struct AttributeBoundTests {
    private let parser = BodyParser()

    private static let bounds: [(String, Int, @Sendable (BodyAttributes) -> PeerText?)] = [
        ("to", 1_023, { $0.rare.to }), ("from", 3_071, { $0.rare.from }), ("route", 300, { $0.rare.route }),
        ("key", 64, { $0.rare.key }),
        ("newkey", 64, { $0.rare.newkey }), ("stream", 64, { $0.rare.stream }), ("content", 128, { $0.rare.content }),
        ("xml:lang", 64, { $0.rare.language }),
    ]

    private func read(_ name: String, _ value: String) throws -> BodyAttributes {
        try #require(
            parser.attributes("<body xmlns='http://jabber.org/protocol/httpbind' rid='1' \(name)='\(value)'/>"))
    }

    @Test("the last byte that fits, and one more")
    func exact() throws {
        for (name, most, attribute) in Self.bounds {
            let fits = String(repeating: "x", count: most)
            #expect(attribute(try read(name, fits)) == PeerText(fits), "\(name)")
            #expect(attribute(try read(name, fits + "x")) == .tooLong, "\(name)")
            #expect(attribute(try read(name, String(repeating: "x", count: 30_000))) == .tooLong, "\(name)")
        }
    }

    @Test("what counts are the bytes that are meant, not those that they are written with")
    func escaped() throws {
        for (name, most, attribute) in Self.bounds {
            let meant = String(repeating: "&", count: most)
            let written = String(repeating: "&amp;", count: most)
            #expect(attribute(try read(name, written)) == PeerText(meant), "\(name)")
            #expect(attribute(try read(name, written + "&amp;")) == .tooLong, "\(name)")
            let wide = String(repeating: "ä", count: most / 2)
            #expect(attribute(try read(name, wide)) == PeerText(wide), "\(name)")
            #expect(attribute(try read(name, wide + "ää")) == .tooLong, "\(name)")
        }
    }
}
