import Glibc
import Testing

@testable import Reactor

@Suite struct DescriptorTests {
    private func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

    private final class Owner {
        var descriptor: Descriptor?
        init(_ descriptor: consuming Descriptor) { self.descriptor = consume descriptor }
    }

    @Test func `the peer reads the end of the stream when the owner lets go`() throws {
        let pair = try Descriptor.socketPair()
        let kept = StreamSocket(pair.first)
        let owner = Owner(pair.second)
        var buffer = ReadBuffer(capacity: 8)
        #expect(kept.read(into: &buffer) == .wouldBlock)
        owner.descriptor = nil
        #expect(kept.read(into: &buffer) == .end)
    }

    @Test func `a released number stays open`() throws {
        let pair = try Descriptor.socketPair()
        let kept = StreamSocket(pair.first)
        let number = pair.second.release()
        var buffer = ReadBuffer(capacity: 8)
        #expect(kept.read(into: &buffer) == .wouldBlock)
        _ = close(number)
        #expect(kept.read(into: &buffer) == .end)
    }

    @Test func `both ends are closed on exec and do not block until told otherwise`() throws {
        let pair = try Descriptor.socketPair()
        for number in [pair.first.number, pair.second.number] {
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
            #expect(fcntl(number, F_GETFL) & O_NONBLOCK != 0)
        }
        try pair.first.setBlocking(true)
        #expect(fcntl(pair.first.number, F_GETFL) & O_NONBLOCK == 0)
        try pair.first.setBlocking(false)
        #expect(fcntl(pair.first.number, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func `an error names the call and the reason`() {
        let error = SystemError(call: "bind", code: EADDRINUSE)
        #expect(error.description == "bind: Address already in use")
        #expect(error.isAddressInUse && !error.isConnectionRefused && !error.isDescriptorsExhausted)
        #expect(SystemError(call: "accept4", code: EMFILE).isDescriptorsExhausted)
        #expect(SystemError(call: "accept4", code: ENFILE).isDescriptorsExhausted)
        #expect(SystemError(call: "connect", code: ECONNREFUSED).isConnectionRefused)
    }

    @Test func `raising the limit reaches the hard limit and can be repeated`() {
        let limit = DescriptorLimit.raise()
        var hard = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &hard)
        #expect(limit == Int(clamping: hard.rlim_max))
        #expect(DescriptorLimit.raise() == limit)
    }
}
