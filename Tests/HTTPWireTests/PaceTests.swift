import HTTPWire
import Primitives
import Testing

/// How long a client may take for its next input.
@Suite struct PaceTests {
    private static let start = MonotonicInstant(nanoseconds: 7_000_000_000)
    private static let patience = Patience(
        head: .seconds(10), body: .seconds(60), idle: .seconds(90), send: .seconds(20), bodyRate: 100, sendRate: 50)

    private static func after(_ seconds: Int) -> MonotonicInstant { start.advanced(by: .seconds(seconds)) }

    private static func due(_ awaited: Awaited, _ pace: Pace = Pace(now: start)) -> Int? {
        pace.deadline(awaiting: awaited, by: patience).map { Int($0.elapsed(since: start).components.seconds) }
    }

    @Test("each thing that is waited for has its own time")
    func deadlines() {
        #expect(Self.due(.lingering) == 2)
        #expect(Self.due(.room) == 20)
        #expect(Self.due(.prelude) == 10)
        #expect(Self.due(.request(.readingHead, owed: 0)) == 10)
        #expect(Self.due(.request(.readingBody, owed: 0)) == 60)
        #expect(Self.due(.request(.idle, owed: 0)) == 90)
        #expect(Self.due(.request(.refusing, owed: 0)) == 20)
        #expect(Self.due(.request(.closing, owed: 0)) == 20)
    }

    @Test("while a session holds a request, the connection has no deadline of its own")
    func held() {
        for phase in [HTTPConnection.Phase.idle, .refusing, .closing] {
            #expect(Self.due(.request(phase, owed: 1)) == nil)
        }
        #expect(Self.due(.request(.owingContinue, owed: 0)) == nil)
    }

    @Test("a request's time counts from its first byte, idleness from the last byte that went through")
    func since() {
        var pace = Pace(now: Self.start)
        pace.requestSince = Self.after(5)
        #expect(Self.due(.request(.readingHead, owed: 0), pace) == 15)
        #expect(Self.due(.request(.idle, owed: 0), pace) == 90)
        pace.phaseSince = Self.after(7)
        #expect(Self.due(.request(.idle, owed: 0), pace) == 97)
        #expect(Self.due(.request(.readingHead, owed: 0), pace) == 15)
    }

    @Test("a body has to come with its rate, in windows of ten seconds")
    func bodyRate() {
        var pace = Pace(now: Self.start)
        pace.rate.begin(now: Self.start)
        let body = Awaited.request(.readingBody, owed: 0)
        #expect(Self.due(body, pace) == 10)
        pace.rate.note(1_000)
        #expect(pace.judge(awaiting: body, by: Self.patience, now: Self.after(10)) == .goesOn)
        #expect(Self.due(body, pace) == 20)
        pace.rate.note(999)
        #expect(pace.judge(awaiting: body, by: Self.patience, now: Self.after(20)) == .timeOut(isSlow: true))
    }

    @Test("a body that comes fast enough has an end too")
    func bodyTime() {
        var pace = Pace(now: Self.start)
        pace.rate.begin(now: Self.start)
        pace.rate.note(1_000_000)
        let body = Awaited.request(.readingBody, owed: 0)
        #expect(pace.judge(awaiting: body, by: Self.patience, now: Self.after(60)) == .timeOut(isSlow: false))
    }

    @Test("half of a short body-timeout is the window of its rate")
    func shortWindow() {
        var patience = Self.patience
        patience.body = .seconds(8)
        var pace = Pace(now: Self.start)
        pace.rate.begin(now: Self.start)
        let due = pace.deadline(awaiting: .request(.readingBody, owed: 0), by: patience)
        #expect(due == Self.after(4))
    }

    @Test("who takes nothing is deaf, and so is who takes a byte a while")
    func sendRate() {
        var pace = Pace(now: Self.start)
        pace.rate.begin(now: Self.start)
        #expect(pace.judge(awaiting: .room, by: Self.patience, now: Self.after(20)) == .deaf(isSlow: false))
        pace.phaseSince = Self.after(19)
        pace.rate.note(999)
        #expect(pace.judge(awaiting: .room, by: Self.patience, now: Self.after(20)) == .deaf(isSlow: true))
        pace.rate.note(1)
        #expect(pace.judge(awaiting: .room, by: Self.patience, now: Self.after(20)) == .goesOn)
        #expect(Self.due(.room, pace) == 39)
    }

    @Test("where any rate will do, only silence counts")
    func noRate() {
        var patience = Self.patience
        (patience.bodyRate, patience.sendRate) = (0, 0)
        var pace = Pace(now: Self.start)
        pace.rate.begin(now: Self.start)
        #expect(pace.deadline(awaiting: .request(.readingBody, owed: 0), by: patience) == Self.after(60))
        pace.phaseSince = Self.after(15)
        #expect(pace.deadline(awaiting: .room, by: patience) == Self.after(35))
        #expect(pace.judge(awaiting: .room, by: patience, now: Self.after(20)) == .goesOn)
    }

    @Test("what follows where no rate is asked for")
    func verdicts() {
        var pace = Pace(now: Self.start)
        let now = Self.after(100)
        #expect(pace.judge(awaiting: .lingering, by: Self.patience, now: now) == .close)
        #expect(pace.judge(awaiting: .prelude, by: Self.patience, now: now) == .end)
        #expect(
            pace.judge(awaiting: .request(.readingHead, owed: 0), by: Self.patience, now: now)
                == .timeOut(isSlow: false))
        for phase in [HTTPConnection.Phase.idle, .owingContinue, .refusing, .closing] {
            #expect(pace.judge(awaiting: .request(phase, owed: 0), by: Self.patience, now: now) == .end)
        }
    }
}
