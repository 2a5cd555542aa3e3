import Handover
import Primitives
import Reactor

/// A worker's link to its supervisor: news of the other workers come in, and the worker says how far it is.
///
/// When the supervisor dies, its workers go on.
final class SupervisorLink {
    /// What the supervisor has said, with the descriptor that came with it.
    struct News {
        let message: SupervisorMessage
        let descriptor: PassedDescriptor?
    }

    private let loop: Loop
    private var socket: DescriptorSocket
    private var reader = FrameReader(bound: SupervisorLink.longestFrame)
    private let writer = FrameWriter(bound: SupervisorLink.longestFrame)
    private var passed: [Passed] = []
    /// Bytes that the socket has not taken.
    private var unsent: [UInt8] = []
    /// Whether the supervisor can be told anything.
    private(set) var isOpen = true
    private static let token = Token(.supervisor)

    /// - Throws: when the link cannot be watched.
    init(_ loop: Loop, _ descriptor: consuming Descriptor) throws(SystemError) {
        self.loop = loop
        socket = DescriptorSocket(descriptor)
        try socket.watch(for: .readable, as: Self.token.raw, in: loop.poller)
    }

    /// Tells the supervisor something.
    func tell(_ message: WorkerMessage) {
        guard isOpen, let frame = writer.frame(message) else { return }
        unsent += frame
        send()
    }

    /// Handles an event of the link.
    ///
    /// - Returns: what the supervisor has said, in order.
    func handle(_ event: PollEvent) -> [News] {
        guard isOpen else { return [] }
        if event.isWritable { send() }
        guard event.isReadable || event.isHangup else { return [] }
        var came = Passed.nothing
        switch socket.receive(into: &loop.readBuffer, passed: &came) {
        case .bytes: break
        case .wouldBlock: return []
        case .end, .failed:
            loop.logger.error("the supervisor has ended; this worker goes on without it")
            close()
            return []
        }
        if case .nothing = came {} else { passed.append(came) }
        loop.readBuffer.withBytes { reader.receive($0) }
        var news: [News] = []
        do throws(FrameFault) {
            while let frame = try reader.next() {
                let descriptor = frame.carriesDescriptor ? nextDescriptor() : nil
                do throws(MessageFault) {
                    news.append(News(message: try SupervisorMessage(frame), descriptor: descriptor))
                } catch {
                    loop.logger.warning(
                        "the supervisor said something that this worker does not know", metadata: ["fault": "\(error)"])
                }
            }
        } catch {
            loop.logger.error(
                "what the supervisor says cannot be read; this worker goes on without it",
                metadata: ["fault": "\(error)"])
            close()
        }
        return news
    }

    private func nextDescriptor() -> PassedDescriptor? {
        guard !passed.isEmpty, case .descriptor(let descriptor) = passed.removeFirst() else { return nil }
        return descriptor
    }

    private func send() {
        while !unsent.isEmpty {
            guard case .sent(let count) = socket.send(unsent) else { break }
            unsent.removeFirst(count)
        }
        do throws(SystemError) {
            try socket.watch(
                for: unsent.isEmpty ? .readable : [.readable, .writable], as: Self.token.raw, in: loop.poller)
        } catch {
            loop.logger.error(
                "watching the link to the supervisor failed; this worker goes on without it",
                metadata: ["error": "\(error)"])
            close()
        }
    }

    private func close() {
        isOpen = false
        unsent = []
        socket.unwatch(in: loop.poller)
    }

    /// The longest message, in bytes: the settings of a large site.
    static let longestFrame = 16 * 1_048_576
}
