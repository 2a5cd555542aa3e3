import Primitives
import Testing

@testable import StreamCore

/// What a server has accepted, as far as the kernel knows.
@Suite struct AcceptanceTests {
    private let timeout = Duration.seconds(8)

    private func instant(_ seconds: UInt64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: (1_000 + seconds) * 1_000_000_000)
    }

    @Test("upstream-write-timeout: a server that acknowledges nothing has a deadline from the first byte on")
    func vanished() {
        var acceptance = Acceptance()
        #expect(acceptance.deadline(timeout) == nil)
        let begins1 = acceptance.noteSent(100, now: instant(0))
        #expect(begins1)
        let begins2 = acceptance.noteSent(100, now: instant(3))
        #expect(!begins2)
        acceptance.look(unacknowledged: 200, hasUnwritten: false, now: instant(4))
        #expect(acceptance.deadline(timeout) == instant(8))
        // Bytes sent meanwhile give it no more time.
        let begins3 = acceptance.noteSent(50, now: instant(5))
        #expect(!begins3)
        acceptance.look(unacknowledged: 250, hasUnwritten: true, now: instant(7))
        #expect(acceptance.deadline(timeout) == instant(8))
    }

    @Test("upstream-write-timeout: a server that accepts a byte has its time again")
    func slow() {
        var acceptance = Acceptance()
        _ = acceptance.noteSent(1_000_000, now: instant(0))
        acceptance.look(unacknowledged: 999_999, hasUnwritten: true, now: instant(7))
        #expect(acceptance.deadline(timeout) == instant(15))
        acceptance.look(unacknowledged: 999_999, hasUnwritten: true, now: instant(14))
        #expect(acceptance.deadline(timeout) == instant(15))
        // As many bytes are unacknowledged as before, because others were written: that is progress.
        _ = acceptance.noteSent(10, now: instant(14))
        acceptance.look(unacknowledged: 999_999, hasUnwritten: true, now: instant(15))
        #expect(acceptance.deadline(timeout) == instant(23))
    }

    @Test("upstream-write-timeout: a server that has accepted everything has no deadline, until more is sent")
    func done() {
        var acceptance = Acceptance()
        _ = acceptance.noteSent(10, now: instant(0))
        acceptance.look(unacknowledged: 0, hasUnwritten: false, now: instant(5))
        #expect(acceptance.deadline(timeout) == nil)
        #expect(acceptance.nextLook(timeout) == nil)
        // Nothing is due for what was accepted long ago.
        acceptance.look(unacknowledged: 0, hasUnwritten: false, now: instant(900))
        let begins4 = acceptance.noteSent(10, now: instant(1_000))
        #expect(begins4)
        acceptance.look(unacknowledged: 10, hasUnwritten: false, now: instant(1_004))
        #expect(acceptance.deadline(timeout) == instant(1_008))
    }

    @Test("upstream-write-timeout: what waits in front of a kernel that holds nothing still waits")
    func blocked() {
        var acceptance = Acceptance()
        let begins5 = acceptance.noteSent(0, now: instant(0))
        #expect(begins5)
        acceptance.look(unacknowledged: 0, hasUnwritten: true, now: instant(2))
        #expect(acceptance.deadline(timeout) == instant(8))
    }

    @Test("upstream-write-timeout: the first look is at the deadline, the next ones a quarter of the time apart")
    func looks() {
        var acceptance = Acceptance()
        #expect(!acceptance.isWaiting)
        _ = acceptance.noteSent(10, now: instant(0))
        #expect(acceptance.nextLook(timeout) == instant(8))
        acceptance.look(unacknowledged: 10, hasUnwritten: false, now: instant(1))
        #expect(acceptance.nextLook(timeout) == instant(3))
        acceptance.look(unacknowledged: 10, hasUnwritten: false, now: instant(7))
        #expect(acceptance.nextLook(timeout) == instant(8))
        // A check is never due again at once, however short the time is.
        #expect(acceptance.nextLook(.milliseconds(100)).map { $0 > instant(0) } == true)
    }

    @Test("upstream-write-timeout: the count of a long session begins again at 2^32")
    func wraps() {
        var acceptance = Acceptance()
        for _ in 0..<5 {
            _ = acceptance.noteSent(1 << 30, now: instant(0))
            acceptance.look(unacknowledged: 0, hasUnwritten: false, now: instant(1))
        }
        _ = acceptance.noteSent(10, now: instant(2))
        acceptance.look(unacknowledged: 9, hasUnwritten: false, now: instant(4))
        #expect(acceptance.deadline(timeout) == instant(12))
        _ = acceptance.noteSent(.max, now: instant(5))
        acceptance.look(unacknowledged: .max, hasUnwritten: false, now: instant(6))
        #expect(acceptance.deadline(timeout) != nil)
    }
}
