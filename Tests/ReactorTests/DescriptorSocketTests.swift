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
        #expect(sender.send([1, 2, 3], passing: [pair.second.number]) == .sent(3))
        _ = Syscalls.close(pair.second.release())

        var buffer = ReadBuffer()
        var passed: [Passed] = []
        #expect(receiver.receive(into: &buffer, passed: &passed) == .bytes(3))
        #expect(passed.count == 1)
        guard let taken = passed.first?.descriptor?.take() else {
            Issue.record("no descriptor came")
            return
        }
        let socket = StreamSocket(taken)
        #expect(StreamSocket(pair.first).write([9]) == .wrote(1))
        #expect(socket.read(into: &buffer) == .bytes(1))
        // The first end was closed after its write.
        #expect(socket.read(into: &buffer) == .end)
    }

    @Test func `descriptors keep their order, those of one send to a read, whatever bytes are between them`() throws {
        let link = try Descriptor.socketPair()
        let sender = DescriptorSocket(link.first)
        let receiver = DescriptorSocket(link.second)
        var numbers: [UInt] = []
        for index in 0..<3 {
            let first = try Descriptor.socketPair()
            let second = try Descriptor.socketPair()
            let passing = [[], [first.first.number], [second.second.number, first.second.number]][index]
            for number in passing { numbers.append(try #require(Syscalls.status(of: number)).number) }
            #expect(sender.send([UInt8(index), 0], passing: passing) == .sent(2))
            #expect(sender.send([7, 7, 7]) == .sent(3))
        }
        var buffer = ReadBuffer()
        var bytes: [UInt8] = []
        var received: [UInt] = []
        var reads: [Int] = []
        while true {
            var passed: [Passed] = []
            guard case .bytes = receiver.receive(into: &buffer, passed: &passed) else { break }
            buffer.withBytes { span in for index in span.indices { bytes.append(span[index]) } }
            reads.append(passed.count)
            for one in passed {
                guard let descriptor = one.descriptor?.take() else { continue }
                received.append(try #require(Syscalls.status(of: descriptor.number)).number)
            }
        }
        #expect(bytes == [0, 0, 7, 7, 7, 1, 0, 7, 7, 7, 2, 0, 7, 7, 7])
        #expect(received == numbers)
        #expect(reads.filter { $0 > 0 } == [1, 2])
    }

    @Test func `as many descriptors as are allowed go at once, and no more`() throws {
        let link = try Descriptor.socketPair()
        let sender = DescriptorSocket(link.first)
        let receiver = DescriptorSocket(link.second)
        let pair = try Descriptor.socketPair()
        let most = [Int32](repeating: pair.first.number, count: DescriptorSocket.mostPassed)
        guard case .failed(let error) = sender.send([1], passing: most + [pair.first.number]) else {
            Issue.record("one more was sent")
            return
        }
        #expect(error.code == EINVAL)
        #expect(sender.send([1], passing: most) == .sent(1))
        var buffer = ReadBuffer()
        var passed: [Passed] = []
        #expect(receiver.receive(into: &buffer, passed: &passed) == .bytes(1))
        #expect(passed.count == most.count && passed.allSatisfy { $0.descriptor != nil })
    }

    @Test func `an untaken descriptor is closed`() throws {
        let link = try Descriptor.socketPair()
        let sender = DescriptorSocket(link.first)
        let receiver = DescriptorSocket(link.second)
        let pair = try Descriptor.socketPair()
        #expect(sender.send([1], passing: [pair.second.number]) == .sent(1))
        _ = Syscalls.close(pair.second.release())
        var buffer = ReadBuffer()
        var passed: [Passed] = []
        #expect(receiver.receive(into: &buffer, passed: &passed) == .bytes(1))
        passed = []
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
        #expect(sender.send([1], passing: [0]) == .wouldBlock)
        var buffer = ReadBuffer()
        var passed: [Passed] = []
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
