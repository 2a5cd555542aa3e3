import Effort
import Testing

@testable import Handover

struct EnvelopeTests {
    private func payload(_ envelope: Envelope) -> [UInt8] {
        var bytes: [UInt8] = []
        envelope.append(to: &bytes)
        return bytes
    }

    private func read(_ payload: [UInt8]) throws(MessageFault) -> Envelope {
        var reader = PayloadReader(payload)
        return try Envelope(reading: &reader)
    }

    @Test("the layout")
    func layout() {
        var envelope = Envelope(
            purpose: .session(tag: 0x0102_0304), listener: 5, peer: .ipv4(0x7F00_0001, port: 0x1234),
            isClientUnknown: true, input: [9, 10, 11])
        let input: [UInt8] = [0, 0, 0, 3, 9, 10, 11]
        let session: [UInt8] = [1, 0, 1, 2, 3, 4, 0, 0, 0, 5]
        #expect(payload(envelope) == session + [0, 1, 0, 0, 0, 0, 0] + [4, 127, 0, 0, 1, 0x12, 0x34] + input)
        envelope.peer = .unnamed
        envelope.isFromProxy = true
        #expect(payload(envelope) == session + [0, 1, 1, 0, 0, 0, 0] + [0] + input)
        envelope.purpose = .creation
        envelope.silence = 0x0102
        envelope.isForOperators = true
        envelope.peer = .ipv6(1, port: 2, scope: 3)
        #expect(
            payload(envelope) == [1, 1, 0, 0, 0, 0, 0, 0, 0, 5, 1, 1, 1, 0, 0, 1, 2]
                + [6] + [UInt8](repeating: 0, count: 15) + [1, 0, 2, 0, 0, 0, 3] + input)
    }

    @Test("a random envelope arrives whole, and is refused when it is cut anywhere")
    func random() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<Effort.cases(300, atLeast: 30) {
            let envelope = Samples.randomEnvelope(&generator)
            let payload = payload(envelope)
            #expect((try? read(payload)) == envelope, "seed \(seed), round \(round)")
            // Without the scheme, which comes last, it is what an older program sends.
            let needed = payload.count - (envelope.scheme == .unknown ? 0 : 1)
            for count in 0..<needed {
                #expect(throws: MessageFault.malformed, "seed \(seed), round \(round), cut to \(count)") {
                    try self.read(Array(payload.prefix(count)))
                }
            }
        }
    }

    @Test("random damage traps nothing, and what is read has no more bytes than came")
    func damage() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        var (readable, refused) = (0, 0)
        for round in 0..<Effort.cases(20_000, atLeast: 2_000) {
            var payload = payload(Samples.randomEnvelope(&generator))
            for _ in 0...generator.below(3) {
                // Mostly in the fields, which stand at the front.
                let place = generator.below(generator.oneIn(3) ? payload.count : min(60, payload.count))
                payload[place] = generator.oneIn(2) ? 0xFF : UInt8(truncatingIfNeeded: generator.next())
            }
            do throws(MessageFault) {
                let envelope = try read(payload)
                readable += 1
                #expect(
                    envelope.input.count < payload.count,
                    "seed \(seed), round \(round)")
            } catch {
                refused += 1
            }
        }
        #expect(readable > 0 && refused > 0, "seed \(seed)")
    }

    @Test("an envelope of a newer program is told from a damaged one")
    func newer() {
        var payload = payload(Samples.envelope)
        payload[1] = 3
        #expect(throws: MessageFault.unknownPurpose(3)) { try self.read(payload) }
        payload[0] = 2
        #expect(throws: MessageFault.unknownEnvelope(version: 2)) { try self.read(payload) }
    }

    @Test("values that no program writes are malformed", arguments: [(10, 2), (11, 2), (12, 2), (17, 1), (17, 5)])
    func impossible(place: Int, value: UInt8) {
        var payload = payload(Samples.envelope)
        payload[place] = value
        #expect(throws: MessageFault.malformed) { try self.read(payload) }
    }

    @Test("the stated overhead is that of the longest address")
    func overhead() {
        var envelope = Samples.envelope
        envelope.input = [1, 2, 3, 4]
        envelope.scheme = .https
        #expect(Samples.writer.frame(.connection(envelope), number: 1)?.count == Envelope.overhead + 4)
    }
}
