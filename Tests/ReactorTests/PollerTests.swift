import Glibc
import Testing

@testable import Reactor

@Suite struct PollerTests {
    private static let noWait = Duration.zero

    @Test func `an idle socket has no event and a written one is readable with its token`() throws {
        var poller = try Poller()
        let pair = try Descriptor.socketPair()
        let other = StreamSocket(pair.second)
        try poller.register(pair.first, token: 0xFFFF_FFFF_0000_0001, interest: .readable)
        #expect(try poller.wait(timeout: Self.noWait) == 0)
        #expect(other.write([1]) == .wrote(1))
        #expect(try poller.wait(timeout: nil) == 1)
        let event = poller[0]
        #expect(event.token == 0xFFFF_FFFF_0000_0001)
        #expect(event.isReadable && !event.isWritable && !event.isHangup && !event.isPeerClosed)
    }

    @Test func `events are level-triggered`() throws {
        var poller = try Poller()
        let pair = try Descriptor.socketPair()
        let other = StreamSocket(pair.second)
        try poller.register(pair.first, token: 1, interest: .readable)
        _ = other.write([1])
        for _ in 0..<3 { #expect(try poller.wait(timeout: Self.noWait) == 1) }
    }

    @Test func `modify changes token and interest and a closed peer is reported without being read`() throws {
        var poller = try Poller()
        let pair = try Descriptor.socketPair()
        let other = StreamSocket(pair.second)
        try poller.register(pair.first, token: 1, interest: [.readable, .writable])
        #expect(try poller.wait(timeout: nil) == 1)
        #expect(poller[0].isWritable && !poller[0].isReadable)
        try poller.modify(pair.first, token: 2, interest: .peerClosed)
        #expect(try poller.wait(timeout: Self.noWait) == 0)
        // P-13: a held request's connection is watched without being read.
        try other.shutdownWrite()
        #expect(try poller.wait(timeout: nil) == 1)
        #expect(poller[0].token == 2)
        #expect(poller[0].isPeerClosed && !poller[0].isReadable && !poller[0].isHangup)
    }

    @Test func `a socket whose both directions are closed hangs up`() throws {
        var poller = try Poller()
        let pair = try Descriptor.socketPair()
        let own = StreamSocket(pair.first)
        let other = StreamSocket(pair.second)
        try poller.register(own.descriptor, token: 1, interest: [])
        try own.shutdownWrite()
        try other.shutdownWrite()
        #expect(try poller.wait(timeout: nil) == 1)
        #expect(poller[0].isHangup)
    }

    @Test func `a deregistered descriptor and a closed one are silent`() throws {
        var poller = try Poller()
        let first = try Descriptor.socketPair()
        try poller.register(first.first, token: 1, interest: .writable)
        #expect(try poller.wait(timeout: nil) == 1)
        try poller.deregister(first.first)
        #expect(try poller.wait(timeout: Self.noWait) == 0)
        do {
            let second = try Descriptor.socketPair()
            try poller.register(second.first, token: 2, interest: .writable)
            #expect(try poller.wait(timeout: nil) == 1)
        }
        #expect(try poller.wait(timeout: Self.noWait) == 0)
    }

    @Test func `wrong registrations are errors`() throws {
        let poller = try Poller()
        let pair = try Descriptor.socketPair()
        #expect(throws: SystemError(call: "epoll_ctl", code: ENOENT)) {
            try poller.modify(pair.first, token: 1, interest: .readable)
        }
        try poller.register(pair.first, token: 1, interest: .readable)
        #expect(throws: SystemError(call: "epoll_ctl", code: EEXIST)) {
            try poller.register(pair.first, token: 1, interest: .readable)
        }
    }

    @Test func `more events than the buffer holds come with the next waits`() throws {
        var poller = try Poller(capacity: 2)
        let one = try Descriptor.socketPair()
        let two = try Descriptor.socketPair()
        let three = try Descriptor.socketPair()
        try poller.register(one.first, token: 1, interest: .writable)
        try poller.register(two.first, token: 2, interest: .writable)
        try poller.register(three.first, token: 3, interest: .writable)
        var seen: Set<UInt64> = []
        for _ in 0..<3 {
            let count = try poller.wait(timeout: nil)
            #expect(count == 2)
            for index in 0..<count { seen.insert(poller[index].token) }
        }
        #expect(seen == [1, 2, 3])
    }

    @Test(arguments: [
        (Duration.zero, 0), (.nanoseconds(-5), 0), (.nanoseconds(1), 1), (.milliseconds(1), 1),
        (.microseconds(1_001), 2), (.seconds(2) + .nanoseconds(1), 2_001), (.seconds(Int64.max), Int(Int32.max)),
        (.seconds(3_000_000), Int(Int32.max)),
    ])
    func `timeouts are rounded up to milliseconds`(_ timeout: Duration, _ milliseconds: Int) {
        #expect(Int(Poller.milliseconds(timeout)) == milliseconds)
    }

    @Test func `a wait never ends before its deadline`() throws {
        var poller = try Poller()
        let deadline = MonotonicClock.now.advanced(by: .nanoseconds(1_500_000))
        while MonotonicClock.now < deadline {
            #expect(try poller.wait(timeout: deadline.elapsed(since: MonotonicClock.now)) == 0)
        }
        let before = MonotonicClock.now
        #expect(try poller.wait(timeout: .nanoseconds(200_000)) == 0)
        #expect(MonotonicClock.now.elapsed(since: before) >= .nanoseconds(200_000))
    }

    @Test func `the clocks agree with each other's kind`() {
        let first = MonotonicClock.now
        #expect(MonotonicClock.now >= first)
        #expect(abs(WallClock.milliseconds / 1_000 - WallClock.seconds) <= 1)
        // 2024-01-01: the machine's calendar is not the boot clock.
        #expect(WallClock.seconds > 1_704_067_200)
    }
}
