import CLinux
import Glibc

/// The system's answer about the addresses of a host.
package enum HostAddresses {
    /// Addresses with port 0, in the order in which they are to be tried.
    case found([SocketAddress])
    /// There is no such name.
    case noSuchName
    /// The name exists, but has no address.
    case noAddress
    /// No name server could answer.
    case unanswered
    /// Any other error, in the C library's words.
    case failed(String)
}

/// Names and interfaces. The C library itself asks name servers, with the kernel's calls, and blocks meanwhile.
extension Syscalls {
    /// The host's name; nil when it is longer than the system allows.
    static var hostName: String? {
        var name = [CChar](repeating: 0, count: Int(HOST_NAME_MAX) + 1)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Looks up a host as the system is configured (`getaddrinfo`); returns at most `limit` addresses.
    package static func addresses(of host: String, limit: Int) -> HostAddresses {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &first)
        switch code {
        case 0: break
        case EAI_NONAME: return .noSuchName
        case Int32(holdfast_no_address): return .noAddress
        case EAI_AGAIN: return .unanswered
        default: return unsafe .failed(String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        var next = unsafe first
        while let entry = unsafe next, addresses.count < limit {
            if let address = unsafe address(entry) { addresses.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .noAddress : .found(addresses)
    }

    private static func address(_ entry: UnsafeMutablePointer<addrinfo>) -> SocketAddress? {
        guard let source = unsafe entry.pointee.ai_addr else { return nil }
        var storage = sockaddr_storage()
        let length = unsafe min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutableBytes(of: &storage) { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: source, count: length))
        }
        switch SocketAddress(storage) {
        case .ipv4(let number, _): return .ipv4(number, port: 0)
        case .ipv6(let number, _, let scope): return .ipv6(number, port: 0, scope: scope)
        case .unix, nil: return nil
        }
    }

    /// The number of the network interface with this name, 0 when there is none.
    static func interfaceNumber(_ name: String) -> UInt32 {
        unsafe if_nametoindex(name)
    }

    /// The C library's resolver with a state of its own.
    @safe package struct Resolver: ~Copyable {
        private let state: UnsafeMutablePointer<__res_state>

        /// Uses the system's name servers (`/etc/resolv.conf`), each at most `tries` times and at most `seconds`. With
        /// an `address`, it uses only that one, exactly so often and so long.
        ///
        /// Nil if there is no memory, if the file cannot be read, or for a Unix path.
        package init?(address: SocketAddress?, seconds: Int32, tries: Int32) {
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
                unsafe state.pointee.retrans = seconds
                unsafe state.pointee.retry = tries
            } else {
                unsafe state.pointee.retrans = unsafe min(state.pointee.retrans, seconds)
                unsafe state.pointee.retry = unsafe min(state.pointee.retry, tries)
            }
        }

        deinit {
            unsafe holdfast_resolver_close(state)
            unsafe state.deallocate()
        }

        /// Sends a question and waits for the response. A truncated response is asked for again over TCP.
        ///
        /// - Returns: the number of bytes in `response`, 0 or less when there is none. A response "server failure" or
        ///   "refused" does not count, but the last such one is left in `response`.
        package func send(_ question: [UInt8], into response: inout [UInt8]) -> Int {
            unsafe response.withUnsafeMutableBufferPointer { target in
                unsafe question.withUnsafeBufferPointer { source in
                    unsafe Int(
                        res_nsend(
                            state, source.baseAddress, Int32(clamping: source.count), target.baseAddress,
                            Int32(clamping: target.count)))
                }
            }
        }
    }
}
