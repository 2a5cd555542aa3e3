import Effort
import Primitives
import StreamCore
import Testing

@Suite("CircuitBreaker")
struct CircuitBreakerTests {
    /// A breaker that three failures in a row opened at second 0.
    private func opened(longestPause: Duration = .seconds(30)) -> CircuitBreaker {
        var breaker = CircuitBreaker(failures: 3, longestPause: longestPause)
        for _ in 0..<3 { breaker.failed(now: .zero) }
        return breaker
    }

    @Test("it stays closed until that many failures have come in a row", arguments: [1, 2, 5])
    func opens(failures: Int) {
        var breaker = CircuitBreaker(failures: failures, longestPause: .seconds(30))
        for _ in 0..<failures {
            #expect(breaker.phase == .closed)
            let admits = breaker.admits(now: .zero)
            #expect(admits)
            breaker.failed(now: .zero)
        }
        #expect(breaker.phase == .open)
        let admits = breaker.admits(now: .zero)
        #expect(!admits)
    }

    @Test("a success in between begins the count anew")
    func successInBetween() {
        var breaker = CircuitBreaker(failures: 3, longestPause: .seconds(30))
        for _ in 0..<10 {
            breaker.failed(now: .zero)
            breaker.failed(now: .zero)
            breaker.succeeded()
        }
        #expect(breaker.phase == .closed)
    }

    @Test("after a second one connection is the probe, and the others wait for it")
    func probe() {
        var breaker = opened()
        let admits = [999, 1000, 1001, 5000].map { breaker.admits(now: .milliseconds($0)) }
        #expect(admits == [false, true, false, false])
        #expect(breaker.phase == .probing)
        breaker.succeeded()
        #expect(breaker.phase == .closed)
        let after = [breaker.admits(now: .seconds(6)), breaker.admits(now: .seconds(6))]
        #expect(after == [true, true])
    }

    @Test("who only asks whether it would refuse is not the probe")
    func looks() {
        var breaker = opened()
        #expect([999, 1000, 5000].map { breaker.refuses(now: .milliseconds($0)) } == [true, false, false])
        #expect(breaker.phase == .open)
        let admits = breaker.admits(now: .seconds(1))
        #expect(admits)
        #expect(breaker.refuses(now: .seconds(1)))
        breaker.succeeded()
        #expect(!breaker.refuses(now: .seconds(1)))
    }

    @Test("a probe that fails doubles the pause, up to the longest one")
    func backOff() {
        var breaker = opened(longestPause: .seconds(5))
        var now = MonotonicInstant.zero
        for pause in [1, 2, 4, 5, 5] {
            let tooEarly = breaker.admits(now: now + (.seconds(pause) - .milliseconds(1)))
            #expect(!tooEarly)
            now += .seconds(pause)
            let admits = breaker.admits(now: now)
            #expect(admits, "pause \(pause)")
            breaker.failed(now: now)
        }
        now += .seconds(5)
        _ = breaker.admits(now: now)
        breaker.succeeded()
        for _ in 0..<3 { breaker.failed(now: now) }
        let admits = [breaker.admits(now: now), breaker.admits(now: now + .seconds(1))]
        #expect(admits == [false, true], "the pause begins at a second again")
    }

    @Test("failures of connections that were admitted before it opened do not prolong the pause")
    func lateFailures() {
        var breaker = opened()
        for _ in 0..<100 { breaker.failed(now: .milliseconds(900)) }
        let admits = breaker.admits(now: .seconds(1))
        #expect(admits)
    }

    @Test("a late success closes it: the target does answer")
    func lateSuccess() {
        var breaker = opened()
        breaker.succeeded()
        #expect(breaker.phase == .closed)
    }

    @Test("a probe that nobody hears of again is given up after the longest pause")
    func lostProbe() {
        var breaker = opened(longestPause: .seconds(10))
        let admits = [1, 10, 11, 12].map { breaker.admits(now: .seconds($0)) }
        #expect(admits == [true, false, true, false])
    }

    @Test("a probe whose session ended passes its part on")
    func abandonedProbe() {
        var breaker = opened()
        _ = breaker.admits(now: .seconds(1))
        breaker.abandoned(now: .seconds(2))
        #expect(breaker.phase == .open)
        let admits = [breaker.admits(now: .seconds(2)), breaker.admits(now: .seconds(2))]
        #expect(admits == [true, false])
        breaker.failed(now: .seconds(3))
        let after = [breaker.admits(now: .milliseconds(4999)), breaker.admits(now: .seconds(5))]
        #expect(after == [false, true], "the pause has doubled once")
        var closed = CircuitBreaker(failures: 1, longestPause: .seconds(1))
        closed.abandoned(now: .zero)
        #expect(closed.phase == .closed)
        var stillOpen = opened()
        stillOpen.abandoned(now: .zero)
        let tooEarly = stillOpen.admits(now: .zero)
        #expect(!tooEarly)
    }

    @Test("zero failures: never opens")
    func off() {
        var breaker = CircuitBreaker(failures: 0, longestPause: .seconds(30))
        for _ in 0..<1000 { breaker.failed(now: .zero) }
        #expect(breaker.phase == .closed)
    }

    @Test("pauses shorter than a second")
    func shortPause() {
        var breaker = opened(longestPause: .milliseconds(300))
        let admits = [breaker.admits(now: .milliseconds(299)), breaker.admits(now: .milliseconds(300))]
        #expect(admits == [false, true])
        breaker.failed(now: .milliseconds(300))
        let after = [breaker.admits(now: .milliseconds(599)), breaker.admits(now: .milliseconds(600))]
        #expect(after == [false, true])
        var none = opened(longestPause: .seconds(-1))
        let always = none.admits(now: .zero)
        #expect(always)
    }

    @Test("at most one connection per pause reaches a dead target, whatever its clients do")
    func randomLife() {
        for seed in UInt64(0)..<Effort.cases(200) {
            var generator = SeededGenerator(seed: seed)
            var breaker = CircuitBreaker(failures: 4, longestPause: .seconds(8))
            var now = MonotonicInstant.zero
            var isAlive = false
            var admittedWhileOpen = 0
            for _ in 0..<500 {
                now += .milliseconds(Int.random(in: 0..<800, using: &generator))
                if Int.random(in: 0..<100, using: &generator) == 0 { isAlive.toggle() }
                let wasClosed = breaker.phase == .closed
                guard breaker.admits(now: now) else { continue }
                if !wasClosed { admittedWhileOpen += 1 }
                if isAlive {
                    breaker.succeeded()
                    #expect(breaker.phase == .closed, "seed \(seed)")
                } else {
                    breaker.failed(now: now)
                    if !wasClosed {
                        let again = breaker.admits(now: now + .milliseconds(999))
                        #expect(!again, "seed \(seed)")
                    }
                }
            }
            #expect(admittedWhileOpen > 0, "seed \(seed)")
        }
    }
}
