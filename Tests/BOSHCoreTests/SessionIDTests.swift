import BOSHCore
import Effort
import Testing

@Suite struct SessionIDTests {
    private static let random = "0123456789abcdeffedcba9876543210"

    private static func parse(_ text: String) -> SessionID? { parse(Array(text.utf8)) }

    private static func parse(_ bytes: [UInt8]) -> SessionID? { SessionID(parsing: bytes.span) }

    @Test("S-02 a sid is node, worker and 128 random bits")
    func writes() {
        let id = SessionID(
            node: NodeName(ofHost: "n1"), worker: 42, high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        #expect(id.text == "n1.42.\(Self.random)")
        #expect(id.short == "01234567")
    }

    @Test("small random halves keep their leading zeros")
    func writesLeadingZeros() {
        let id = SessionID(node: NodeName(ofHost: "a"), worker: 0, high: 0, low: 1)
        #expect(id.text == "a.0.00000000000000000000000000000001")
        #expect(id.short == "00000000")
    }

    @Test("S-02 what is written is read again")
    func roundTrips() throws {
        var generator = SeededGenerator(seed: 11)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        for worker in [0, 1, 9, 10, 4_294_967_295] as [UInt32] {
            for length in 1...15 {
                let node = String((0..<length).map { _ in alphabet[generator.below(alphabet.count)] })
                let id = SessionID(
                    node: NodeName(ofHost: node), worker: worker, high: generator.next(), low: generator.next())
                let read = try #require(Self.parse(id.text))
                #expect(read == id)
                #expect(read.node.text == node && read.worker == worker && read.text == id.text)
                #expect(read.hashValue == id.hashValue)
            }
        }
    }

    @Test(
        "R-12 a text that was never given out is no sid",
        arguments: [
            "", ".", "..", "...", "n1", "n1.42", "n1.42.", random, ".42.\(random)", "n1..\(random)", "n1.42\(random)",
            "N1.42.\(random)", "n-1.42.\(random)", "n 1.42.\(random)", "é.42.\(random)",
            "abcdefghijklmnop.42.\(random)",
            "n1.-1.\(random)", "n1.+1.\(random)", "n1.4x.\(random)", "n1.4294967296.\(random)",
            "n1.42949672950.\(random)", "n1.99999999999999999999.\(random)", "n1.042.\(random)", "n1.00.\(random)",
            "n1.42.\(random)0", "n1.42.\(random.dropLast())", "n1.42.\(random.uppercased())",
            "n1.42.g123456789abcdeffedcba9876543210", "n1.42.0123456789abcdeffedcba987654321g",
            "n1.42.0123456789abcde-fedcba9876543210", "n1.42.0123456789abcdef.fedcba987654321",
            " n1.42.\(random)", "n1.42.\(random) ", "n1.42.\(random)\n", "n1.4.2.\(random.dropLast(2))",
        ]) func refuses(text: String)
    {
        #expect(Self.parse(text) == nil)
    }

    @Test("every cut and every single foreign byte is refused")
    func refusesDamage() {
        let bytes = Array("n1.42.\(Self.random)".utf8)
        for length in 0..<bytes.count {
            #expect(Self.parse(Array(bytes[..<length])) == nil, "cut after \(length)")
        }
        for index in bytes.indices {
            for foreign in [0x00, 0x20, 0x2F, 0x3A, 0x40, 0x47, 0x60, 0x7B, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[index] = foreign
                #expect(Self.parse(damaged) == nil, "byte \(index) replaced by \(foreign)")
            }
        }
    }

    @Test("identifiers differ in every part")
    func compares() {
        let id = SessionID(node: NodeName(ofHost: "n"), worker: 1, high: 2, low: 3)
        #expect(id != SessionID(node: NodeName(ofHost: "m"), worker: 1, high: 2, low: 3))
        #expect(id != SessionID(node: NodeName(ofHost: "n"), worker: 2, high: 2, low: 3))
        #expect(id != SessionID(node: NodeName(ofHost: "n"), worker: 1, high: 3, low: 3))
        #expect(id != SessionID(node: NodeName(ofHost: "n"), worker: 1, high: 2, low: 4))
    }
}
