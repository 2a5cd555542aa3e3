import Effort
import Testing

@testable import WebSocketWire

/// Random frames, right and wrong, against a second reader, which has all bytes at once.
struct FramePropertyTests {
    /// Small, so that random messages reach them.
    private static let limits = FrameLimits(message: 300, emptyContinuations: 3)

    private static let texts = ["", "a", "<presence/>", "é", "€", "𤭢", "\u{0}", "0123456789abcdef", "µ@ßöäüàá"]

    private func text(_ generator: inout SeededGenerator) -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<generator.below(8) { text += Array(Self.texts[generator.below(Self.texts.count)].utf8) }
        if generator.oneIn(40) { text += [UInt8](repeating: 0x78, count: generator.below(400)) }
        if generator.oneIn(60) { text.append(UInt8(truncatingIfNeeded: generator.next())) }
        return text
    }

    /// A message in fragments that are cut anywhere, with control frames between them.
    private func message(_ generator: inout SeededGenerator) -> [ClientFrame] {
        var rest = text(&generator)[...]
        var frames: [ClientFrame] = []
        repeat {
            let count = generator.oneIn(2) ? rest.count : generator.below(rest.count + 1)
            let isFinal = count == rest.count && !generator.oneIn(10)
            frames.append(
                ClientFrame(opcode: frames.isEmpty ? 1 : 0, payload: Array(rest.prefix(count)), isFinal: isFinal))
            rest = rest.dropFirst(count)
            if isFinal { return frames }
            if generator.oneIn(4) { frames.append(control(&generator)) }
        } while true
    }

    private func control(_ generator: inout SeededGenerator) -> ClientFrame {
        let payload = (0..<generator.below(generator.oneIn(5) ? 126 : 6)).map { _ in
            UInt8(truncatingIfNeeded: generator.next())
        }
        switch generator.below(30) {
        case 0: return .close([1000, 1001, 1005, 3000, 5000][generator.below(5)], payload.count < 3 ? payload : [])
        case 1..<20: return .ping(payload)
        default: return ClientFrame(opcode: 10, payload: payload)
        }
    }

    private func stream(_ generator: inout SeededGenerator) -> [UInt8] {
        var frames: [ClientFrame] = []
        for _ in 0...generator.below(6) {
            frames += generator.oneIn(3) ? [control(&generator)] : message(&generator)
        }
        for index in frames.indices {
            frames[index].key = (0..<4).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        }
        if generator.oneIn(6) {
            let index = generator.below(frames.count)
            switch generator.below(7) {
            case 0: frames[index].key = nil
            case 1: frames[index].lengthForm = .medium
            case 2: frames[index].lengthForm = .long
            case 3: frames[index].isFinal.toggle()
            case 4: frames[index].opcode = UInt8(generator.below(16))
            case 5: frames[index].reserved = UInt8(1 + generator.below(7))
            default: frames.remove(at: index)
            }
        }
        var bytes = frames.flatMap(\.bytes)
        if !bytes.isEmpty, generator.oneIn(8) {
            bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
        }
        if generator.oneIn(8) { bytes.removeLast(generator.below(bytes.count + 1)) }
        return bytes
    }

    @Test("random frames in random pieces give the events that a plain reader finds")
    func frames() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        var kinds: [String: Int] = [:]
        for round in 0..<Effort.cases(20_000, atLeast: 2_000) {
            let bytes = stream(&generator)
            let expected = ReferenceReader.events(of: bytes, limits: Self.limits)
            let largest = 1 + generator.below(40)
            let player = FramePlayer.play(bytes, limits: Self.limits) { 1 + generator.below(largest) }
            if player.events != expected { Issue.record("seed \(seed), round \(round): \(bytes)") }
            for event in expected { kinds["\(event)".prefix { $0 != "(" } + "", default: 0] += 1 }
        }
        // The generator reaches every kind of event.
        #expect(kinds.count == 5 && kinds.values.allSatisfy { $0 >= 20 }, "seed \(seed): \(kinds)")
    }

    @Test("random bytes trap nothing, and mean the same in any pieces")
    func noise() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<Effort.cases(20_000, atLeast: 2_000) {
            // Most first bytes are a fault, so the start of a frame is given.
            let start: [UInt8] = [0x81, 0x01, 0x89, 0x88][generator.below(4)...].prefix(1) + []
            let bytes = start + (0..<generator.below(40)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            let whole = FramePlayer.play(bytes, limits: Self.limits) { bytes.count }
            let single = FramePlayer.play(bytes, limits: Self.limits) { 1 }
            let reference = ReferenceReader.events(of: bytes, limits: Self.limits)
            if whole.events != single.events || whole.fixedPlaces != single.fixedPlaces || whole.events != reference {
                Issue.record("seed \(seed), round \(round): \(bytes)")
            }
        }
    }
}
