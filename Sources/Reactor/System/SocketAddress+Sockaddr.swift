import CLinux
import Glibc

/// The system's forms of an address: numeric text and `sockaddr` bytes.
extension SocketAddress {
    /// Reads a numeric IPv4 or IPv6 host, the latter with an optional `%interface`. Nil for a name.
    package init?(numericHost host: String, port: UInt16) {
        guard !host.utf8.contains(0) else { return nil }
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            self = .ipv4(UInt32(bigEndian: four.s_addr), port: port)
            return
        }
        let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var bytes: UInt128 = 0
        guard let address = parts.first, unsafe inet_pton(AF_INET6, String(address), &bytes) == 1 else { return nil }
        var scope: UInt32 = 0
        if parts.count == 2 {
            scope = UInt32(parts[1]) ?? Syscalls.interfaceNumber(String(parts[1]))
            guard scope != 0 else { return nil }
        }
        self = .ipv6(UInt128(bigEndian: bytes), port: port, scope: scope)
    }

    /// The address without brackets and port, or the path.
    package var numericHost: String {
        switch self {
        case .ipv4(let address, _):
            return [24, 16, 8, 0].map { String((address >> UInt32($0)) & 0xFF) }.joined(separator: ".")
        case .ipv6(let address, _, let scope):
            var bytes = address.bigEndian
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let size = socklen_t(text.count)
            guard unsafe inet_ntop(AF_INET6, &bytes, &text, size) != nil else { return "" }
            let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return scope == 0 ? host : "\(host)%\(scope)"
        case .unix(let path):
            return path
        }
    }

    /// The address family of a socket for this address.
    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the address in the kernel's form.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .ipv4(let address, let port):
            var value = sockaddr_in()
            value.sin_family = sa_family_t(AF_INET)
            value.sin_port = port.bigEndian
            value.sin_addr.s_addr = address.bigEndian
            return unsafe Self.pass(&value, socklen_t(MemoryLayout<sockaddr_in>.size), body)
        case .ipv6(let address, let port, let scope):
            var value = sockaddr_in6()
            value.sin6_family = sa_family_t(AF_INET6)
            value.sin6_port = port.bigEndian
            value.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &value.sin6_addr) { target in
                unsafe withUnsafeBytes(of: address.bigEndian) { unsafe target.copyMemory(from: $0) }
            }
            return unsafe Self.pass(&value, socklen_t(MemoryLayout<sockaddr_in6>.size), body)
        case .unix(let path):
            var value = sockaddr_un()
            value.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8.prefix(Self.maximumPathLength))
            unsafe withUnsafeMutableBytes(of: &value.sun_path) { target in
                unsafe target.copyBytes(from: bytes)
            }
            return unsafe Self.pass(&value, socklen_t(MemoryLayout<sockaddr_un>.size), body)
        }
    }

    /// Reads an address from the kernel. Nil for an unsupported family; an unnamed Unix socket has an empty path.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            let value = Self.view(&storage, as: sockaddr_in.self)
            self = .ipv4(UInt32(bigEndian: value.sin_addr.s_addr), port: UInt16(bigEndian: value.sin_port))
        case AF_INET6:
            let value = Self.view(&storage, as: sockaddr_in6.self)
            let address = unsafe withUnsafeBytes(of: value.sin6_addr) { unsafe $0.loadUnaligned(as: UInt128.self) }
            self = .ipv6(
                UInt128(bigEndian: address), port: UInt16(bigEndian: value.sin6_port), scope: value.sin6_scope_id)
        case AF_UNIX:
            let value = Self.view(&storage, as: sockaddr_un.self)
            let path = unsafe withUnsafeBytes(of: value.sun_path) { unsafe Array($0).prefix { $0 != 0 } }
            self = .unix(String(decoding: path, as: UTF8.self))
        default:
            return nil
        }
    }

    /// Calls `body` with room for an address.
    static func receive<Result>(
        _ storage: inout sockaddr_storage,
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, &length) }
        }
    }

    private static func pass<Value, Result>(
        _ value: inout Value, _ length: socklen_t, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: &value) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }

    private static func view<Value>(_ storage: inout sockaddr_storage, as type: Value.Type) -> Value {
        unsafe withUnsafeBytes(of: &storage) { unsafe $0.loadUnaligned(as: type) }
    }
}
