import CLinux
import Glibc

/// The C library's resolver with a state of its own: sends one question, waits for the response, and repeats over TCP what
/// was cut off. It blocks.
@safe struct NameServer: ~Copyable {
    /// What came of a question.
    enum Reply: Equatable {
        case response(DNSMessage)
        /// None that says anything, and why in words.
        case failed(String)
        /// Nothing has come at all.
        case silent
    }

    /// How long to wait and how often to ask: each server of the state is asked `tries` times, at least `seconds` long.
    struct Patience {
        var seconds: Int32
        var tries: Int32

        /// For a name server that was named in the settings.
        static let given = Patience(seconds: 2, tries: 2)
        /// The most for those of the system, so that three dead ones take less time than `ResolverLink.patience`.
        static let system = Patience(seconds: 3, tries: 2)
        /// For a question that only makes an answer better.
        static let extra = Patience(seconds: 1, tries: 1)
    }

    /// Responses over TCP can be so long.
    private static let maximumResponse = 65_535

    private let state: UnsafeMutablePointer<__res_state>

    /// Uses the name servers of the system (`/etc/resolv.conf`), or only `address` if there is one.
    ///
    /// Nil if the system has no memory or its file cannot be read, or for a Unix path.
    init?(address: SocketAddress? = nil, patience: Patience) {
        let state = UnsafeMutablePointer<__res_state>.allocate(capacity: 1)
        unsafe state.initialize(to: __res_state())
        unsafe self.state = state
        guard unsafe holdfast_resolver_open(state) == 0 else { return nil }
        if let address {
            if case .unix = address { return nil }
            let result = unsafe address.withSockaddr { pointer, length in
                unsafe holdfast_resolver_use(state, pointer, length)
            }
            guard result == 0 else { return nil }
            unsafe state.pointee.retrans = patience.seconds
            unsafe state.pointee.retry = patience.tries
        } else {
            unsafe state.pointee.retrans = unsafe min(state.pointee.retrans, patience.seconds)
            unsafe state.pointee.retry = unsafe min(state.pointee.retry, patience.tries)
        }
    }

    deinit {
        unsafe holdfast_resolver_close(state)
        unsafe state.deallocate()
    }

    /// Asks for the records of `name`, as `DNSName.lowercased` gives it; no search domain is tried.
    func ask(_ name: String, _ kind: DNSMessage.Kind) -> Reply {
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        let id = UInt16(truncatingIfNeeded: SystemRandom.value128())
        let question = DNSMessage.question(id: id, name: name, kind: kind)
        var response = [UInt8](repeating: 0, count: Self.maximumResponse)
        let length = unsafe response.withUnsafeMutableBufferPointer { target in
            unsafe question.withUnsafeBufferPointer { source in
                unsafe res_nsend(
                    state, source.baseAddress, Int32(clamping: source.count), target.baseAddress,
                    Int32(clamping: target.count))
            }
        }
        guard length > 0 else { return Self.reason(response, id) }
        guard let message = DNSMessage(response.prefix(Int(length)), name: name, kind: kind) else {
            return .failed("the name server sent nonsense")
        }
        switch message.code {
        case 0, 3: return .response(message)
        case let code: return .failed(Self.words(code))
        }
    }

    /// The library passes over responses that say "server failure" or "refused", but leaves the last one in the buffer.
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
