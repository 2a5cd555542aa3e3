import BOSHCore
import Primitives
import Testing

@testable import Gateway

@Suite struct RemindersTests {
    @Test("the first of its kind is told at once, then once a minute at most, with how many there were since")
    func onceAMinute() {
        var reminders = Reminders<String>()
        let start = MonotonicInstant(nanoseconds: 5)
        func after(_ seconds: Int64) -> MonotonicInstant { start.advanced(by: .seconds(seconds)) }
        #expect(reminders.note("a", now: start) == 1)
        #expect(reminders.note("a", now: start) == nil)
        #expect(reminders.note("b", now: after(1)) == 1)
        for second in 1..<60 { #expect(reminders.note("a", now: after(Int64(second))) == nil) }
        #expect(reminders.note("a", now: after(60)) == 61)
        #expect(reminders.note("a", now: after(61)) == nil)
        #expect(reminders.note("a", now: after(7_200)) == 2)
        #expect(reminders.count(of: "a") == 64)
        #expect(reminders.count(of: "b") == 1)
        #expect(reminders.count(of: "c") == 0)
    }
}
