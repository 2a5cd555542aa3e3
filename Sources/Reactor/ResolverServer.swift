import CLinux
import Glibc

/// The resolver process: the role `resolver` of the same binary. It asks the system (`getaddrinfo`), which may block for
/// many seconds, so that no worker has to.
///
/// Questions are answered one after another; `ResolverLink` asks for each name only once at a time, so a dead name
/// server delays other names by its own timeout (`resolv.conf`, usually 10 s) and not by one timeout a session.
package enum ResolverServer {
    /// Answers questions from `descriptor`, an end of a stream socketpair, until the other end closes it.
    ///
    /// It ignores the signals that end a service, because a worker that is finishing its sessions may still need names.
    package static func serve(_ descriptor: consuming Descriptor) {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { _ = holdfast_ignore_signal(number) }
        answerQuestions(from: descriptor)
    }

    /// The loop of `serve` without its effect on the process.
    static func answerQuestions(from descriptor: consuming Descriptor) {
        let socket = StreamSocket(descriptor)
        guard (try? socket.descriptor.setBlocking(true)) != nil else { return }
        var buffer = ReadBuffer(capacity: 4_096)
        var reader = ResolverFrameReader()
        while true {
            switch socket.read(into: &buffer) {
            case .end, .failed: return
            case .wouldBlock: continue
            case .bytes: break
            }
            var answers: [UInt8] = []
            let isSound = buffer.withBytes { bytes in
                (try? reader.receive(bytes) { payload in
                    guard let question = ResolverFrames.question(payload) else { return }
                    ResolverFrames.append(ResolverAnswer(id: question.id, outcome: lookUp(question)), to: &answers)
                }) != nil
            }
            guard isSound, send(answers, over: socket) else { return }
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

    private static func lookUp(_ question: ResolverQuestion) -> ResolverAnswer.Outcome {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(question.host, nil, &hints, &first)
        guard code == 0 else {
            let reason = unsafe String(cString: gai_strerror(code))
            return .failure(reason, isTemporary: code == EAI_AGAIN || code == EAI_SYSTEM || code == EAI_MEMORY)
        }
        defer { unsafe freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        var next = unsafe first
        while let entry = unsafe next, addresses.count < ResolverFrames.maximumAddresses {
            if let address = unsafe address(entry, port: question.port) { addresses.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failure("no address", isTemporary: false) : .addresses(addresses)
    }

    private static func address(_ entry: UnsafeMutablePointer<addrinfo>, port: UInt16) -> SocketAddress? {
        guard let source = unsafe entry.pointee.ai_addr else { return nil }
        var storage = sockaddr_storage()
        let length = unsafe min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutableBytes(of: &storage) { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: source, count: length))
        }
        switch SocketAddress(storage) {
        case .ipv4(let number, _): return .ipv4(number, port: port)
        case .ipv6(let number, _, let scope): return .ipv6(number, port: port, scope: scope)
        case .unix, nil: return nil
        }
    }
}
