import Handover
import Reactor
import Testing

@testable import ProcessLinks

@Suite struct FrameSocketTests {
    /// Two ends of one connection.
    private struct Ends: ~Copyable {
        let near: FrameSocket
        let far: FrameSocket
        var buffer = ReadBuffer()

        init(bound: Int = FrameSocket.standardBound) throws {
            let pair = try Descriptor.socketPair()
            near = FrameSocket(pair.first)
            far = FrameSocket(pair.second, bound: bound)
        }

        /// All frames that have come to the far end.
        mutating func received() throws -> [ReceivedFrame] {
            var frames: [ReceivedFrame] = []
            while far.receive(with: &buffer) == .more {
                while let frame = try far.next() { frames.append(frame) }
            }
            return frames
        }
    }

    private static let writer = FrameWriter(bound: FrameSocket.standardBound)

    private func bytes(_ message: SupervisorMessage) throws -> [UInt8] {
        try #require(Self.writer.frame(message))
    }

    private func bytes(_ message: WorkerMessage) throws -> [UInt8] {
        try #require(Self.writer.frame(message))
    }

    /// A connection whose one end can be passed on. What is written to that end arrives at the other one.
    private final class Passable {
        let near: SharedDescriptor
        let far: StreamSocket

        init() throws {
            let pair = try Descriptor.socketPair()
            near = SharedDescriptor(pair.first)
            far = StreamSocket(pair.second)
        }
    }

    @Test func `frames arrive whole and in order`() throws {
        var ends = try Ends()
        let messages: [SupervisorMessage] = [.started, .gone(tag: 7), .retired(tag: .max), .drain]
        for message in messages { ends.near.send(try bytes(message)) }
        #expect(ends.near.unsentCount == 0)
        let received = try ends.received()
        #expect(try received.map { try SupervisorMessage($0.frame) } == messages)
        #expect(received.allSatisfy { $0.passed == nil })
    }

    @Test func `each frame that carries a descriptor gets its own`() throws {
        var ends = try Ends()
        let first = try Passable()
        let second = try Passable()
        ends.near.send(try bytes(.gone(tag: 1)))
        ends.near.send(try bytes(.listener(number: 0)), passing: first.near)
        ends.near.send(try bytes(.gone(tag: 2)))
        ends.near.send(try bytes(.mailbox(tag: 9)), passing: second.near)
        let received = try ends.received()
        #expect(
            try received.map { try SupervisorMessage($0.frame) } == [
                .gone(tag: 1), .listener(number: 0), .gone(tag: 2), .mailbox(tag: 9),
            ])
        #expect(received.map { $0.passed != nil } == [false, true, false, true])
        for (frame, end, text) in [(received[1], first, "one"), (received[3], second, "two")] {
            guard let descriptor = frame.passed?.take() else {
                Issue.record("no descriptor came")
                return
            }
            let socket = StreamSocket(descriptor)
            #expect(socket.write(Array(text.utf8)) == .wrote(3))
            #expect(end.far.read(into: &ends.buffer) == .bytes(3))
            #expect(ends.buffer.withBytes { $0[0] } == text.utf8.first)
        }
    }

    @Test func `what the kernel does not take waits, and is sent when there is room`() throws {
        var ends = try Ends()
        let line = String(repeating: "x", count: 60_000)
        let passable = try Passable()
        for _ in 0..<20 { ends.near.send(try bytes(WorkerMessage.failed(line: line))) }
        ends.near.send(try bytes(.listener(number: 3)), passing: passable.near)
        #expect(ends.near.unsentCount > 1)
        var received: [ReceivedFrame] = []
        while ends.near.unsentCount > 0 {
            let frames = try ends.received()
            #expect(!frames.isEmpty || ends.near.unsentCount > 0)
            received += frames
            ends.near.flush()
        }
        received += try ends.received()
        #expect(received.count == 21)
        for frame in received.dropLast() { #expect(try WorkerMessage(frame.frame) == .failed(line: line)) }
        #expect(try received.last.map { try SupervisorMessage($0.frame) } == .listener(number: 3))
        #expect(received.last?.passed != nil)
    }

    @Test func `room is watched for only while something waits`() throws {
        let ends = try Ends()
        var poller = try Poller()
        try ends.near.watch(as: 5, in: poller)
        #expect(try poller.wait(timeout: .zero) == 0)
        let line = String(repeating: "x", count: 60_000)
        while ends.near.unsentCount == 0 { ends.near.send(try bytes(WorkerMessage.failed(line: line))) }
        try ends.near.watch(as: 5, in: poller)
        #expect(try poller.wait(timeout: .zero) == 0)
        var buffer = ReadBuffer()
        while ends.far.receive(with: &buffer) == .more {}
        #expect(try poller.wait(timeout: .zero) == 1)
        #expect(poller[0].isWritable && poller[0].token == 5)
        while ends.near.unsentCount > 0 {
            ends.near.flush()
            while ends.far.receive(with: &buffer) == .more {}
        }
        try ends.near.watch(as: 5, in: poller)
        #expect(try poller.wait(timeout: .zero) == 0)
    }

    @Test func `what came before the end is read before the end`() throws {
        let pair = try Descriptor.socketPair()
        var near: FrameSocket? = FrameSocket(pair.first)
        let far = FrameSocket(pair.second)
        near?.send(try bytes(.gone(tag: 4)))
        near = nil
        var buffer = ReadBuffer()
        #expect(far.receive(with: &buffer) == .more)
        #expect(try far.next().map { try SupervisorMessage($0.frame) } == .gone(tag: 4))
        #expect(far.receive(with: &buffer) == .end)
        #expect(try far.next() == nil)
    }

    @Test func `sending to a process that has ended is not an error`() throws {
        let pair = try Descriptor.socketPair()
        let near = FrameSocket(pair.first)
        _ = consume pair.second
        near.send(try bytes(.drain))
        near.send(try bytes(.drain))
        #expect(near.unsentCount == 0)
        var buffer = ReadBuffer()
        #expect(near.receive(with: &buffer) == .end)
    }

    @Test func `a frame above the bound is a fault`() throws {
        var ends = try Ends(bound: 100)
        ends.near.send(try bytes(WorkerMessage.failed(line: String(repeating: "x", count: 200))))
        #expect(throws: FrameFault.self) { try ends.received() }
    }

    @Test func `a descriptor that waits to be sent stays open, and one that nobody takes is closed`() throws {
        var ends = try Ends()
        let pair = try Descriptor.socketPair()
        let far = StreamSocket(pair.second)
        var near: SharedDescriptor? = SharedDescriptor(pair.first)
        let line = String(repeating: "x", count: 60_000)
        while ends.near.unsentCount == 0 { ends.near.send(try bytes(WorkerMessage.failed(line: line))) }
        ends.near.send(try bytes(.page(tag: 1, isOwn: true)), passing: near)
        near = nil
        #expect(far.read(into: &ends.buffer) == .wouldBlock)
        var received: [ReceivedFrame] = []
        while ends.near.unsentCount > 0 {
            received += try ends.received()
            ends.near.flush()
        }
        received += try ends.received()
        #expect(received.last?.passed != nil)
        #expect(far.read(into: &ends.buffer) == .wouldBlock)
        received = []
        #expect(far.read(into: &ends.buffer) == .end)
    }
}
