import Primitives
import StreamCore
import Testing

@testable import Gateway

@Suite struct TroubleLinesTests {
    private let start = MonotonicInstant(nanoseconds: 5)

    private func after(_ seconds: Int64) -> MonotonicInstant { start.advanced(by: .seconds(seconds)) }

    private func expect(
        _ lines: inout TroubleLines, _ label: UpstreamTrouble.Label, _ about: String, _ now: MonotonicInstant,
        _ told: UInt64?,
        _ place: SourceLocation = #_sourceLocation
    ) {
        let answer = lines.note(label, about: about, now: now)
        #expect(answer == told, sourceLocation: place)
    }

    @Test("the same trouble is told once a minute, with how often it came; another one is told at once")
    func onceAMinute() {
        var lines = TroubleLines()
        expect(&lines, .connection, "a:1", start, 1)
        for second in 1..<60 { expect(&lines, .connection, "a:1", after(Int64(second)), nil) }
        expect(&lines, .connection, "b:1", after(2), 1)
        expect(&lines, .name, "a:1", after(2), 1)
        expect(&lines, .connection, "a:1", after(60), 60)
        expect(&lines, .connection, "a:1", after(61), nil)
        expect(&lines, .connection, "a:1", after(600), 2)
    }

    @Test("what is remembered is bounded: the older ones make room, and of further ones each is told")
    func bounded() {
        var lines = TroubleLines()
        for number in 0..<TroubleLines.most {
            expect(&lines, .connection, "\(number)", start, 1)
        }
        for _ in 0..<2 { expect(&lines, .connection, "more", after(1), 1) }
        expect(&lines, .connection, "0", after(1), nil)
        expect(&lines, .connection, "more", after(60), 1)
        expect(&lines, .connection, "more", after(60), nil)
    }

    @Test("silence is told after the third stream, and then each time that there are ten times as many")
    func silence() {
        let told = (0...5_000).filter { ServerHealth.tellsOfSilence(after: UInt32($0)) }
        #expect(told == [3, 30, 300, 3_000])
    }
}
