import Glibc

/// An address of the simulated network: machines have numbers, and each may have an IPv4 and an IPv6 address.
struct CalledAddress: Equatable {
    /// The machine that serves domains unless names say otherwise.
    static let ordinary: UInt8 = 2

    var machine = ordinary
    var isIPv6 = false

    init(machine: UInt8 = ordinary, isIPv6: Bool = false) {
        self.machine = machine
        self.isIPv6 = isIPv6
    }

    /// The argument of a connect: its last byte is the machine's number.
    init(_ address: UnsafePointer<sockaddr>) {
        isIPv6 = address.pointee.sa_family == sa_family_t(AF_INET6)
        // After family and port, and in IPv6 the flow, there are 4 or 16 bytes.
        let last = isIPv6 ? 8 + 15 : 4 + 3
        machine = UnsafeRawPointer(address).load(fromByteOffset: last, as: UInt8.self)
    }

    /// 10.0.0.N or fd00::N, in network order.
    var bytes: [UInt8] {
        isIPv6 ? [0xFD] + [UInt8](repeating: 0, count: 14) + [machine] : [10, 0, 0, machine]
    }
}
