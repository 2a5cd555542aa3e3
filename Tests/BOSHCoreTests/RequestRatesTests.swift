import Bridge
import Effort
import Primitives
import Testing

@testable import BOSHCore

@Suite struct RequestRatesTests {
    private func policy(requests: Int?, repeats: Int?) -> SessionPolicy {
        var policy = SessionHarness.policy
        policy.requestsPerSecond = requests
        policy.repeatsPerSecond = repeats
        return policy
    }

    private func instant(_ time: Duration) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 5_000_000_000).advanced(by: time)
    }

    @Test("session-requests: in no time more than the burst and the rate together", arguments: [1, 7, 500])
    func bound(rate: Int) {
        let policy = policy(requests: rate, repeats: nil)
        var chance = SeededGenerator(seed: UInt64(rate))
        var rates = RequestRates()
        var admitted = 0
        var time = Duration.zero
        while time < .seconds(20) {
            time += .microseconds(Int.random(in: 0..<2_000_000 / rate, using: &chance) / 4)
            if rates.admitsRequest(now: instant(time), policy: policy) { admitted += 1 }
        }
        #expect(admitted <= rate * 23)
        #expect(admitted >= rate * 20)
    }

    @Test("session-requests: the burst, and after a second the rate again")
    func burst() {
        let policy = policy(requests: 500, repeats: 20)
        var rates = RequestRates()
        let ask = { (rates: inout RequestRates, time: Duration) in
            (0..<2_000).prefix { _ in rates.admitsRequest(now: instant(time), policy: policy) }.count
        }
        #expect(ask(&rates, .zero) == 1_000)
        #expect(ask(&rates, .milliseconds(999)) == 0)
        #expect(ask(&rates, .seconds(1)) == 500)
        #expect(ask(&rates, .seconds(60)) == 1_000)
        // A clock that is at its end, or seems to go back, must not trap.
        _ = rates.admitsRequest(now: MonotonicInstant(nanoseconds: .max), policy: policy)
        _ = rates.admitsRequest(now: MonotonicInstant(nanoseconds: 0), policy: policy)
    }

    @Test("session-repeats: counted apart from requests")
    func repeats() {
        let policy = policy(requests: 1, repeats: 20)
        var rates = RequestRates()
        let count = (0..<200).prefix { _ in rates.admitsRepeat(now: instant(.zero), policy: policy) }.count
        #expect(count == 100)
        let isAdmitted = rates.admitsRequest(now: instant(.zero), policy: policy)
        #expect(isAdmitted)
    }

    @Test("session-requests: without a rate, and with one beyond what is counted, there is no bound")
    func unbounded() {
        for rate in [nil, 1_000_000] {
            let policy = policy(requests: rate, repeats: nil)
            var rates = RequestRates()
            #expect((0..<70_000).allSatisfy { _ in rates.admitsRequest(now: instant(.zero), policy: policy) })
        }
    }

    @Test("what a session keeps for its rates and its login has a size")
    func size() {
        #expect(MemoryLayout<RequestRates>.size == 8)
        #expect(MemoryLayout<LoginDeadline>.size <= 10)
        print("a session: \(MemoryLayout<Session>.size) bytes")
    }
}
