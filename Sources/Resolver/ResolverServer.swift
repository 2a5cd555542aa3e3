import Reactor

/// The resolver process: the role `resolver` of the same binary. It asks the system or a name server, which may block
/// for many seconds, so that no worker has to. `ResolverLink` runs several and gives each one question at a time.
package enum ResolverServer {
    /// Answers questions from `descriptor`, one end of a stream socketpair, until the other end closes it.
    ///
    /// It ignores the signals that end a service, because a worker that is finishing its sessions may still need names.
    /// - Parameter nameserver: nil to ask the system; otherwise `ADDR:PORT` or `[V6]:PORT` of the one name server for
    ///   everything. With any other text every question fails.
    package static func serve(_ descriptor: consuming Descriptor, nameserver: String? = nil) {
        ignoreSignals()
        answerQuestions(from: descriptor, source: source(nameserver))
    }

    /// Answers the questions of several workers, whose connections come over `control`, until it and all of them have
    /// ended. A look-up that takes longer than `ResolverLink.patience`, and some seconds more, ends the process, so that
    /// another one can take its place.
    package static func serveShared(_ control: consuming Descriptor, nameserver: String? = nil) {
        ignoreSignals()
        var lookup = ResolverLookup(source(nameserver))
        do throws(SystemError) {
            let shared = try SharedResolver(control) { query in
                Syscalls.endProcess(afterSeconds: lookupLimit)
                defer { Syscalls.endProcess(afterSeconds: 0) }
                return lookup.answer(query)
            }
            while shared.turn(timeout: nil) {}
        } catch {
            // The parent sees the end of the process and starts another one.
        }
    }

    /// How many seconds a look-up of a shared process may take. The worker that asked has given it up before.
    private static let lookupLimit = UInt32(clamping: ResolverLink.patience.components.seconds + 5)

    private static func ignoreSignals() {
        Syscalls.ignore([.interrupt, .terminate, .hangup])
        Syscalls.ignoreWriteSignals()
    }

    /// The source for the setting `nameserver`.
    static func source(_ nameserver: String?) -> ResolverLookup.Source {
        guard let nameserver else { return .system }
        switch SocketAddress(nameserver) {
        case .some(let address) where address.port != nil: return .nameServer(address, .given)
        default: return .unreadable(nameserver)
        }
    }

    /// The loop of `serve` without its effect on the process.
    static func answerQuestions(from descriptor: consuming Descriptor, source: ResolverLookup.Source) {
        let socket = StreamSocket(descriptor)
        guard (try? socket.descriptor.setBlocking(true)) != nil else { return }
        var lookup = ResolverLookup(source)
        var buffer = ReadBuffer(capacity: 4_096)
        var reader = ResolverFrameReader()
        while true {
            switch socket.read(into: &buffer) {
            case .end, .failed: return
            case .wouldBlock: continue
            case .bytes: break
            }
            var questions: [ResolverQuestion] = []
            var isSound = true
            buffer.withBytes { bytes in
                do throws(ResolverFrameReader.FrameTooLong) {
                    try reader.receive(bytes) { payload in
                        if let question = ResolverFrames.question(payload) {
                            questions.append(question)
                        } else {
                            isSound = false
                        }
                    }
                } catch {
                    isSound = false
                }
            }
            guard isSound else { return }
            for question in questions {
                var bytes: [UInt8] = []
                ResolverFrames.append(
                    ResolverReply(id: question.id, finding: lookup.answer(question.query)), to: &bytes)
                guard send(bytes, over: socket) else { return }
            }
        }
    }

    private static func send(_ bytes: [UInt8], over socket: borrowing StreamSocket) -> Bool {
        var offset = 0
        while offset < bytes.count {
            guard case .wrote(let count) = socket.write(bytes, from: offset) else { return false }
            offset += count
        }
        return true
    }
}
