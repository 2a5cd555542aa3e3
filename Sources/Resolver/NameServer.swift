import Reactor

/// The C library's resolver with a state of its own. It sends one question, waits for the response, and repeats a
/// truncated one over TCP. It blocks.
struct NameServer: ~Copyable {
    /// The result of a question.
    enum Reply: Equatable {
        case response(DNSMessage)
        /// No usable response, with the reason in words.
        case failed(String)
        /// No response at all.
        case silent
    }

    /// How long to wait and how often to ask: each server is asked `tries` times and given at least `seconds`.
    struct Patience {
        var seconds: Int32
        var tries: Int32

        /// For a name server from the settings.
        static let given = Patience(seconds: 2, tries: 2)
        /// The most for the system's name servers, so that three dead ones take less time than `ResolverLink.patience`.
        static let system = Patience(seconds: 3, tries: 2)
        /// For a question that only improves an answer.
        static let extra = Patience(seconds: 1, tries: 1)
    }

    /// The longest response over TCP.
    private static let maximumResponse = 65_535

    private let resolver: Syscalls.Resolver

    /// Uses the system's name servers (`/etc/resolv.conf`), or only `address` if there is one.
    ///
    /// Nil if there is no memory, if the file cannot be read, or for a Unix path.
    init?(address: SocketAddress? = nil, patience: Patience) {
        let opened = Syscalls.Resolver(address: address, seconds: patience.seconds, tries: patience.tries)
        guard let opened else { return nil }
        resolver = opened
    }

    /// Asks for the records of `name`, in the form of `DNSName.lowercased`; no search domain is tried.
    func ask(_ name: String, _ kind: DNSMessage.Kind) -> Reply {
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        let id = UInt16(truncatingIfNeeded: SystemRandom.value128())
        let question = DNSMessage.question(id: id, name: name, kind: kind)
        var response = [UInt8](repeating: 0, count: Self.maximumResponse)
        let length = resolver.send(question, into: &response)
        guard length > 0 else { return Self.reason(response, id) }
        guard let message = DNSMessage(response.prefix(length), name: name, kind: kind) else {
            return .failed("the name server sent nonsense")
        }
        switch message.code {
        case 0, 3: return .response(message)
        case let code: return .failed(Self.words(code))
        }
    }

    /// The library ignores responses "server failure" and "refused", but leaves the last one in the buffer.
    private static func reason(_ response: [UInt8], _ id: UInt16) -> Reply {
        let isResponse = response[0] == UInt8(id >> 8) && response[1] == UInt8(id & 0xFF) && response[2] & 0x80 != 0
        return isResponse ? .failed(words(response[3] & 0xF)) : .silent
    }

    private static func words(_ code: UInt8) -> String {
        switch code {
        case 0: "the name server sent nonsense"
        case 1: "the name server does not understand the question"
        case 2: "the name server failed"
        case 4: "the name server does not know such questions"
        case 5: "the name server refuses to answer"
        default: "the name server gave error \(code)"
        }
    }
}
