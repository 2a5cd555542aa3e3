import Glibc
import Testing

@testable import Reactor

/// Signals are sent to the testing thread itself, where they stay pending until the source reads them.
@Suite(.serialized) struct SignalSourceTests {
    @Test func `a blocked signal is read instead of ending the process`() throws {
        let source = try SignalSource([.hangup, .terminate])
        #expect(source.next() == nil)
        pthread_kill(pthread_self(), SIGHUP)
        #expect(try Loopback.wait(source.descriptor, .readable).isReadable)
        #expect(source.next() == .hangup)
        #expect(source.next() == nil)
        pthread_kill(pthread_self(), SIGTERM)
        pthread_kill(pthread_self(), SIGHUP)
        #expect(Set([source.next(), source.next()]) == [.terminate, .hangup])
        #expect(source.next() == nil)
    }

    @Test func `what other servers' operators send is read too`() throws {
        let source = try SignalSource()
        for (number, signal) in [(SIGQUIT, Signal.quit), (SIGUSR1, .user1), (SIGUSR2, .user2)] {
            pthread_kill(pthread_self(), number)
            #expect(source.next() == signal)
        }
    }

    @Test func `a broken pipe does not end the process`() throws {
        SignalSource.ignoreWriteSignals()
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        let writer = Descriptor(owning: ends[1])
        // A process that another test makes just now has a copy of the other end for a moment.
        var result = 1
        for _ in 0..<10_000 where result == 1 {
            result = [UInt8(1)].withUnsafeBytes { Syscalls.writeFile(writer.number, $0) }
            if result == 1 { usleep(1_000) }
        }
        #expect(result == Int(-EPIPE))
    }
}
