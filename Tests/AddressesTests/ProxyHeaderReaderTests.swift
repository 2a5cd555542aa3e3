import Effort
import Testing

@testable import Addresses

/// Reading PROXY headers: whole, byte by byte, split at every position, and with further bytes after them.
struct ProxyHeaderReaderTests {
    private typealias Progress = ProxyHeaderReader.Progress

    private struct Outcome: Equatable {
        var progress: Progress
        var consumed: Int
    }

    private func read(_ bytes: [UInt8], splits: [Int]) -> Outcome {
        var reader = ProxyHeaderReader()
        var outcome = Outcome(progress: .needMore, consumed: 0)
        var start = 0
        for end in splits + [bytes.count] {
            var offset = 0
            outcome.progress = reader.receive(bytes.span.extracting(start..<end), offset: &offset)
            outcome.consumed += offset
            start = end
        }
        return outcome
    }

    /// The outcome for `bytes`, which is the same however they arrive.
    private func outcome(_ bytes: [UInt8], _ comment: Comment? = nil) -> Outcome {
        let whole = read(bytes, splits: [])
        #expect(read(bytes, splits: Array(bytes.indices.dropFirst())) == whole, comment)
        for split in bytes.indices {
            let halves = read(bytes, splits: [split])
            guard halves != whole else { continue }
            Issue.record("split at \(split): \(halves) is not \(whole); \(comment ?? "")")
            break
        }
        return whole
    }

    /// The result of a header, which must be consumed as a whole and without a further byte.
    private func source(_ header: [UInt8], _ comment: Comment? = nil) -> Progress {
        for rest in [[], Array("GET / HTTP/1.1\r\n".utf8), header] {
            let outcome = outcome(header + rest, comment)
            #expect(outcome.consumed == header.count, comment)
            guard rest == header else { continue }
            return outcome.progress
        }
        return .invalid
    }

    private func source(_ line: String) -> Progress {
        source(Array(line.utf8), "\(line)")
    }

    private func client(_ address: String, _ port: UInt16) throws -> Progress {
        .complete(source: Endpoint(address: try #require(IPAddress(address)), port: port))
    }

    // MARK: Version 1

    @Test(
        "lines that name the client",
        arguments: [
            ("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1", 56324),
            ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255", 65535),
            ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0", 0),
            ("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1", 1),
            ("PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 1 2\r\n", "2001:db8::1", 1),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1", 1),
            ("PROXY TCP6 ::ffff:c000:201 ::1 1 2\r\n", "192.0.2.1", 1),
        ] as [(String, String, UInt16)])
    func lines(line: String, address: String, port: UInt16) throws {
        #expect(source(line) == (try client(address, port)))
    }

    @Test("the longest line there can be is read")
    func longestLine() throws {
        let address = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
        let full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        #expect(source("PROXY TCP6 \(full) \(full) 65535 65535\r\n") == (try client(full, 65_535)))
        // of 108 bytes and more
        #expect(outcome(Array("PROXY TCP6 \(address) \(address) 65535 65535\r\n".utf8)).progress == .invalid)
    }

    @Test(
        "lines that name nobody",
        arguments: [
            "PROXY UNKNOWN\r\n", "PROXY UNKNOWN \r\n", "PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n",
            "PROXY UNKNOWN anything at all\r\n",
        ])
    func unknownLines(line: String) {
        #expect(source(line) == .complete(source: nil))
    }

    @Test(
        "a line is at most 107 bytes long", arguments: [(105, true), (106, false), (107, false), (200, false)])
    func lineLength(beforeLineEnd: Int, isValid: Bool) {
        let line = "PROXY UNKNOWN " + String(repeating: "x", count: beforeLineEnd - 14) + "\r\n"
        let outcome = outcome(Array(line.utf8))
        #expect(outcome.progress == (isValid ? .complete(source: nil) : .invalid))
        #expect(outcome.consumed <= 107)
    }

    @Test(
        "what is no such line is refused",
        arguments: [
            "G", "PROXX", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY\r\n", "PROXY \r\n",
            "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
            " PROXY UNKNOWN\r\n", "\r\nPROXY UNKNOWN\r\n", "PROXY unknown\r\n", "PROXY UNKNOWNX\r\n", "PROXY TCP\r\n",
            "PROXY TCP4\r\n", "PROXY TCP4 \r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n",
            "PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 02\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 0x1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 18446744073709551617 2\r\n", "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.256 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP4 1.2.3.4 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP6 ::1 1.2.3.4 1 2\r\n",
            "PROXY TCP6 [::1] [::1] 1 2\r\n", "PROXY TCP6 ::1%lo ::1 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
            "PROXY UNKNOWN\n", "PROXY UNKNOWN\rX", "PROXY UNKNOWN\r\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r \n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n", "PROXY TCP4 host 1.2.3.4 1 2\r\n", "GET / HTTP/1.1\r\n",
            "\u{16}\u{3}\u{1}",
        ])
    func refusedLines(line: String) {
        let bytes = Array(line.utf8)
        #expect(outcome(bytes).progress == .invalid)
        // and no byte that follows makes it valid
        #expect(outcome(bytes + Array("PROXY UNKNOWN\r\n".utf8)).progress == .invalid)
    }

    @Test("a line that is not complete needs more, and takes everything")
    func incompleteLine() {
        let line = Array("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n".utf8)
        for count in 0..<line.count {
            #expect(outcome(Array(line[..<count])) == Outcome(progress: .needMore, consumed: count))
        }
    }

    // MARK: Version 2

    private let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private let ends4: [UInt8] = [192, 0, 2, 1, 192, 0, 2, 2, 0xDC, 0x04, 0x01, 0xBB]
    private let ends6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] + [0, 7, 0, 8]

    private func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
    }

    @Test func binaryOfIPv4() throws {
        #expect(source(binary(0x21, 0x11, ends4)) == (try client("192.0.2.1", 56324)))
    }

    @Test func binaryOfIPv6() throws {
        #expect(source(binary(0x21, 0x21, ends6)) == (try client("2001:db8::1", 7)))
    }

    @Test("a mapped client is an IPv4 client")
    func binaryOfMapped() throws {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1]
        #expect(source(binary(0x21, 0x21, mapped + mapped + [0, 1, 0, 2])) == (try client("192.0.2.1", 1)))
    }

    @Test("what follows the addresses is passed over", arguments: [1, 3, 39, 40, 41, 300, 4_084])
    func values(count: Int) throws {
        let values = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let header = binary(0x21, 0x11, ends4 + values)
        // every split of the long ones would take minutes
        guard count < 100 else {
            let bytes = header + [1, 2, 3]
            let whole = read(bytes, splits: [])
            #expect(whole == Outcome(progress: try client("192.0.2.1", 56324), consumed: header.count))
            #expect(read(bytes, splits: Array(bytes.indices.dropFirst())) == whole)
            for split in [1, 12, 16, 28, 29, header.count - 1, header.count] {
                #expect(read(bytes, splits: [split]) == whole)
            }
            return
        }
        #expect(source(header) == (try client("192.0.2.1", 56324)))
        #expect(source(binary(0x21, 0x21, ends6 + values)) == (try client("2001:db8::1", 7)))
    }

    @Test(
        "headers that name nobody",
        arguments: [
            (0x20, 0x00, 0), (0x20, 0x11, 12), (0x20, 0x21, 36), (0x20, 0x11, 0), (0x20, 0xFF, 5), (0x21, 0x00, 0),
            (0x21, 0x00, 9), (0x21, 0x31, 216), (0x21, 0x32, 216), (0x21, 0x12, 12), (0x21, 0x22, 36), (0x21, 0x10, 0),
            (0x21, 0x01, 0), (0x20, 0x00, 16),
        ] as [(UInt8, UInt8, Int)])
    func namesNobody(command: UInt8, family: UInt8, length: Int) {
        #expect(source(binary(command, family, [UInt8](repeating: 9, count: length))) == .complete(source: nil))
    }

    @Test(
        "what is no such header is refused at once",
        arguments: [
            (0x00, 0x11, 0, 13), (0x11, 0x11, 12, 13), (0x31, 0x11, 12, 13), (0x22, 0x11, 12, 13), (0x2F, 0x00, 0, 13),
            (0x21, 0x13, 12, 14), (0x21, 0x1F, 12, 14), (0x21, 0x41, 12, 14), (0x21, 0xF1, 12, 14),
            // no room for the addresses
            (0x21, 0x11, 0, 16), (0x21, 0x11, 11, 16), (0x21, 0x21, 12, 16), (0x21, 0x21, 35, 16),
            // more than any sender needs
            (0x21, 0x11, 4_097, 16), (0x20, 0x00, 4_097, 16), (0x21, 0x11, 65_535, 16),
        ] as [(UInt8, UInt8, Int, Int)])
    func refusedBinary(command: UInt8, family: UInt8, length: Int, at count: Int) {
        let header = signature + [command, family, UInt8(length >> 8), UInt8(length & 255)]
        #expect(outcome(header + ends6) == Outcome(progress: .invalid, consumed: count))
    }

    @Test("each byte of the signature counts")
    func signatureBytes() {
        let header = binary(0x21, 0x11, ends4)
        for index in signature.indices {
            var damaged = header
            damaged[index] ^= 0x40
            #expect(outcome(damaged) == Outcome(progress: .invalid, consumed: index + 1))
        }
    }

    @Test("a binary header that is not complete needs more, and takes everything")
    func incompleteBinary() {
        let header = binary(0x21, 0x21, ends6 + [1, 2, 3])
        for count in 0..<header.count {
            #expect(outcome(Array(header[..<count])) == Outcome(progress: .needMore, consumed: count))
        }
    }

    // MARK: Both

    @Test("when all is said, no byte is taken and the answer stays")
    func staysComplete() throws {
        var reader = ProxyHeaderReader()
        let bytes = Array("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nmore".utf8)
        var offset = 0
        let first = reader.receive(bytes.span, offset: &offset)
        #expect(first == (try client("1.2.3.4", 9)))
        #expect(offset == bytes.count - 4)
        #expect(reader.receive(bytes.span, offset: &offset) == first)
        #expect(offset == bytes.count - 4)
    }

    @Test("an offset outside the bytes reads nothing", arguments: [-1, 3, 4, Int.max, Int.min])
    func offsets(offset: Int) {
        var reader = ProxyHeaderReader()
        var moved = offset
        #expect(reader.receive(([0x50, 0x52, 0x4F] as [UInt8]).span, offset: &moved) == .needMore)
        #expect(moved == offset)
    }

    @Test("what is written is read again", arguments: ProxyVersion.allCases)
    func roundTrip(version: ProxyVersion) {
        let start = Chance.firstSeed("PROXY headers, \(version)")
        for seed in start..<start + Effort.cases(400) {
            var chance = Chance(seed: seed)
            let source = chance.endpoint()
            var header: [UInt8] = []
            ProxyHeader.append(version, source: source, destination: chance.endpoint(), into: &header)
            let expected = Endpoint(address: source.address.unmapped, port: source.port)
            let split = Int.random(in: 0...header.count, using: &chance)
            for splits in [[], [split], Array(header.indices.dropFirst())] {
                let outcome = read(header + header, splits: splits)
                #expect(outcome.progress == .complete(source: expected), "HOLDFAST_SEED=\(seed): \(source)")
                #expect(outcome.consumed == header.count, "HOLDFAST_SEED=\(seed): \(source)")
            }
        }
    }

    @Test("damaged headers and random bytes never trap, and how they arrive makes no difference")
    func anything() {
        let start = Chance.firstSeed("anything as a PROXY header")
        let telling = Array("\r\n\0PROXYUNKNOW TCP46:.0159f\u{11}\u{20}\u{21}\u{22}".utf8)
        for seed in start..<start + Effort.cases(4_000) {
            var chance = Chance(seed: seed)
            var bytes: [UInt8] = []
            switch Int.random(in: 0..<4, using: &chance) {
            case 0:
                bytes = chance.bytes(0..<200)
            case 1:
                bytes = signature + chance.bytes(0..<200)
            default:
                let version = ProxyVersion.allCases.randomElement(using: &chance) ?? .v1
                let destination = chance.endpoint()
                ProxyHeader.append(version, source: chance.endpoint(), destination: destination, into: &bytes)
                for _ in 0..<Int.random(in: 1...3, using: &chance) { chance.mutate(&bytes, telling: telling) }
            }
            let whole = read(bytes, splits: [])
            #expect(whole.consumed <= bytes.count)
            #expect(read(bytes, splits: Array(bytes.indices.dropFirst())) == whole, "HOLDFAST_SEED=\(seed): \(bytes)")
            let split = Int.random(in: 0...bytes.count, using: &chance)
            #expect(read(bytes, splits: [split]) == whole, "HOLDFAST_SEED=\(seed): \(bytes)")
        }
    }
}
