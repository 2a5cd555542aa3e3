import CLinux
import Glibc
import Testing

@testable import Reactor

@Suite struct DescriptorSocketTests {
    @Test func `a passed descriptor is the same open socket`() throws {
        let link = try Descriptor.socketPair()
        let sender = DescriptorSocket(link.first)
        let receiver = DescriptorSocket(link.second)
        let pair = try Descriptor.socketPair()
        #expect(sender.send([1, 2, 3], passing: pair.second.number) == .sent(3))
        _ = Syscalls.close(pair.second.release())

        var buffer = ReadBuffer()
        var passed = Passed.nothing
        #expect(receiver.receive(into: &buffer, passed: &passed) == .bytes(3))
        guard let taken = passed.taken() else {
            Issue.record("no descriptor came")
            return
        }
        let socket = StreamSocket(taken)
        #expect(StreamSocket(pair.first).write([9]) == .wrote(1))
        #expect(socket.read(into: &buffer) == .bytes(1))
        // The first end was closed after its write.
        #expect(socket.read(into: &buffer) == .end)
    }

    @Test func `descriptors keep their order, one to a read, whatever bytes are between them`() throws {
        let link = try Descriptor.socketPair()
        let sender = DescriptorSocket(link.first)
        let receiver = DescriptorSocket(link.second)
        var numbers: [UInt] = []
        for index in 0..<3 {
            let pair = try Descriptor.socketPair()
            numbers.append(try #require(Syscalls.status(of: pair.first.number)).number)
            #expect(sender.send([UInt8(index), 0], passing: pair.first.number) == .sent(2))
            #expect(sender.send([7, 7, 7]) == .sent(3))
        }
        var buffer = ReadBuffer()
        var bytes: [UInt8] = []
        var received: [UInt] = []
        while true {
            var passed = Passed.nothing
            guard case .bytes = receiver.receive(into: &buffer, passed: &passed) else { break }
            buffer.withBytes { span in for index in span.indices { bytes.append(span[index]) } }
            if let descriptor = passed.taken() {
                received.append(try #require(Syscalls.status(of: descriptor.number)).number)
            }
        }
        #expect(bytes == [0, 0, 7, 7, 7, 1, 0, 7, 7, 7, 2, 0, 7, 7, 7])
        #expect(received == numbers)
    }

    @Test func `an untaken descriptor is closed`() throws {
        let link = try Descriptor.socketPair()
        let sender = DescriptorSocket(link.first)
        let receiver = DescriptorSocket(link.second)
        let pair = try Descriptor.socketPair()
        #expect(sender.send([1], passing: pair.second.number) == .sent(1))
        _ = Syscalls.close(pair.second.release())
        var buffer = ReadBuffer()
        var passed = Passed.nothing
        #expect(receiver.receive(into: &buffer, passed: &passed) == .bytes(1))
        passed = .nothing
        let socket = StreamSocket(pair.first)
        #expect(socket.read(into: &buffer) == .end)
    }

    @Test func `a full socket, an end and a broken connection are told apart`() throws {
        let link = try Descriptor.socketPair()
        let sender = DescriptorSocket(link.first)
        let receiver = DescriptorSocket(link.second)
        let block = [UInt8](repeating: 5, count: 65_536)
        var sent = 0
        while case .sent(let count) = sender.send(block) { sent += count }
        #expect(sender.send([1], passing: 0) == .wouldBlock)
        var buffer = ReadBuffer()
        var passed = Passed.nothing
        var read = 0
        while case .bytes(let count) = receiver.receive(into: &buffer, passed: &passed) { read += count }
        #expect(read == sent)
        #expect(receiver.receive(into: &buffer, passed: &passed) == .wouldBlock)
        _ = consume sender
        #expect(receiver.receive(into: &buffer, passed: &passed) == .end)
        guard case .failed(let error) = receiver.send([1]) else {
            Issue.record("nobody receives, and the bytes were taken")
            return
        }
        #expect(error.code == EPIPE)
    }
}

extension Passed {
    /// The descriptor, if there is one.
    fileprivate func taken() -> Descriptor? {
        guard case .descriptor(let passed) = self else { return nil }
        return passed.take()
    }
}
