/// The local ports that the kernel uses for outgoing connections.
package enum LocalPorts {
    /// The number of local ports for connections to one address and port of a server; nil when the kernel does not say.
    package static var count: Int? {
        let file: Int32
        do throws(SystemError) {
            file = try Syscalls.openForReading(path)
        } catch {
            // Without /proc the number is unknown; the setting alone applies.
            return nil
        }
        let descriptor = Descriptor(owning: file)
        var buffer = ReadBuffer(capacity: 64)
        let number = descriptor.number
        guard unsafe buffer.fill({ unsafe Syscalls.readFile(number, $0) }) > 0 else { return nil }
        var text = ""
        buffer.withBytes { bytes in
            for index in 0..<bytes.count { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
        }
        return count(in: text)
    }

    /// Parses the kernel's file, which has the first port and the last one.
    static func count(in text: String) -> Int? {
        let numbers = text.split(whereSeparator: { " \t\n".contains($0) }).map { UInt16($0) }
        guard numbers.count == 2, let first = numbers[0], let last = numbers[1], first <= last else { return nil }
        return Int(last - first) + 1
    }

    private static let path = "/proc/sys/net/ipv4/ip_local_port_range"
}
