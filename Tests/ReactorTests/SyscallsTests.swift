import CLinux
import Glibc
import Testing

@testable import Reactor

/// The rules for calling the kernel.
@Suite struct SyscallsTests {
    /// A call that signals interrupt this many times before it succeeds.
    private final class Call {
        private(set) var count = 0
        private let interruptions: Int
        private let end: (value: Int, code: Int32)

        init(interruptions: Int, end: (value: Int, code: Int32)) {
            self.interruptions = interruptions
            self.end = end
        }

        func make() -> Int {
            count += 1
            errno = count > interruptions ? end.code : EINTR
            return count > interruptions ? end.value : -1
        }
    }

    @Test(arguments: [0, 1, 5])
    func `a call that a signal interrupts is made again until it has a result`(_ interruptions: Int) {
        let call = Call(interruptions: interruptions, end: (7, 0))
        #expect(Syscalls.retrying(call.make) == 7)
        #expect(call.count == interruptions + 1)
    }

    @Test func `a call that fails is not made again`() {
        let call = Call(interruptions: 1, end: (-1, EAGAIN))
        #expect(Syscalls.retrying(call.make) == Int(-EAGAIN))
        #expect(call.count == 2)
    }

    @Test func `what errno was before means nothing to a call that succeeds`() {
        #expect(Syscalls.retrying(Call(interruptions: 0, end: (0, EBADF)).make) == 0)
        #expect(Syscalls.once(Call(interruptions: 0, end: (3, EINTR)).make) == 3)
    }

    /// `close` is called like this: the second time, its number may belong to another descriptor.
    @Test func `a call that must be made once is not made again after a signal`() {
        let call = Call(interruptions: 9, end: (0, 0))
        #expect(Syscalls.once(call.make) == Int(-EINTR))
        #expect(call.count == 1)
    }

    @Test func `a result below zero is thrown with the name of the call`() throws {
        #expect(try Syscalls.check("listen", 5) == 5)
        #expect(throws: SystemError(call: "listen", code: EINVAL)) { try Syscalls.check("listen", Int(-EINVAL)) }
    }

    @Test func `a call of the data path returns the negated errno`() {
        var bytes: [UInt8] = [0]
        let read = bytes.withUnsafeMutableBytes { [Syscalls.read(-1, $0), Syscalls.readFile(-1, $0)] }
        let written = bytes.withUnsafeBytes {
            [Syscalls.send(-1, $0), Syscalls.sendAtOnce(-1, $0), Syscalls.writeFile(-1, $0)]
        }
        var peer = SocketAddress.unix("before")
        let accepted = Syscalls.accept(-1, peer: &peer)
        var event = epoll_event()
        let watched = Syscalls.control(-1, EPOLL_CTL_ADD, 0, &event)
        let waited = withUnsafeMutablePointer(to: &event) {
            Syscalls.wait(-1, UnsafeMutableBufferPointer(start: $0, count: 1), milliseconds: 0)
        }
        let results = read + written + [accepted, watched, waited, Syscalls.close(-1)]
        #expect(results == Array(repeating: Int(-EBADF), count: results.count))
        #expect(peer == .unix("before"))
    }

    @Test func `a call beside the data path throws what the kernel said`() {
        #expect(throws: SystemError(call: "socket", code: EAFNOSUPPORT)) { try Syscalls.socket(family: 9_999) }
        #expect(throws: SystemError(call: "bind", code: EBADF)) {
            try Syscalls.bind(-1, to: .ipv4(0x7F00_0001, port: 0))
        }
        #expect(throws: SystemError(call: "listen", code: EBADF)) { try Syscalls.listen(-1, backlog: 1) }
        #expect(throws: SystemError(call: "getsockname", code: EBADF)) { try Syscalls.boundAddress(-1) }
        #expect(throws: SystemError(call: "setsockopt", code: EBADF)) { try Syscalls.resetWhenClosed(-1) }
        #expect(throws: SystemError(call: "shutdown", code: EBADF)) { try Syscalls.shutdownWrite(-1) }
        #expect(throws: SystemError(call: "fcntl", code: EBADF)) { try Syscalls.setBlocking(-1, true) }
        #expect(throws: SystemError(call: "open", code: ENOENT)) { try Syscalls.openForReading("/nonexistent") }
        #expect(throws: SystemError(call: "unlink", code: ENOENT)) { try Syscalls.unlink("/nonexistent") }
        #expect(throws: SystemError(call: "posix_spawn", code: ENOENT)) {
            try Syscalls.spawn("/nonexistent", ["x"], sharing: 2, as: 3)
        }
    }

    @Test func `what the kernel does not say is nothing`() {
        #expect(Syscalls.status(of: -1) == nil)
        #expect(Syscalls.status(at: "/nonexistent") == nil)
        #expect(Syscalls.unreadCount(-1) == -1)
        #expect(Syscalls.unacknowledgedCount(-1) == -1)
        #expect(Syscalls.collect(getpid(), waits: true) == nil)
        #expect(Syscalls.nextSignal(-1) == nil)
        #expect(!Syscalls.isWritable(-1))
        #expect(!Syscalls.isExecutable("/nonexistent"))
        #expect(Syscalls.interfaceNumber("nonexistent") == 0)
    }

    @Test func `kinds of file are told apart`() throws {
        let pair = try Descriptor.socketPair()
        #expect(Syscalls.status(of: pair.first.number)?.kind == .socket)
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let reader = Descriptor(owning: ends[0])
        let writer = Descriptor(owning: ends[1])
        #expect(Syscalls.status(of: reader.number)?.kind == .pipe)
        #expect(Syscalls.isWritable(writer.number))
        #expect(Syscalls.status(at: "/dev/null")?.kind == .characterDevice)
        #expect(Syscalls.status(at: "/")?.kind == .other)
    }

    @Test(arguments: [ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH])
    func `an error of the accepted socket is none of the listener`(_ code: Int32) {
        let error = SystemError(call: "accept4", result: Int(-code))
        #expect(error.code == code)
        #expect(error.isOfAccepted && !error.isWouldBlock && !error.isDescriptorsExhausted)
    }

    @Test(arguments: [EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, EBADF, EINVAL])
    func `an error of the listener is no accepted socket's`(_ code: Int32) {
        #expect(!SystemError(call: "accept4", code: code).isOfAccepted)
    }

    @Test func `a process that is to end ends, whatever it does`() async {
        await #expect(processExitsWith: .signal(SIGALRM)) {
            Syscalls.endProcess(afterSeconds: 1)
            while true { pause() }
        }
    }

    @Test func `a process that is no longer to end goes on`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            Syscalls.endProcess(afterSeconds: 1_000)
            Syscalls.endProcess(afterSeconds: 0)
            exit(alarm(0) == 0 ? 7 : 1)
        }
    }
}
