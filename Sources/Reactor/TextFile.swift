/// Small files in which the kernel tells about this process and its machine.
enum TextFile {
    /// The first 4,096 bytes of a file; nil when it cannot be read or is empty.
    static func text(of file: String) -> String? {
        let opened: Int32
        do throws(SystemError) {
            opened = try Syscalls.openForReading(file)
        } catch {
            return nil
        }
        let descriptor = Descriptor(owning: opened)
        let number = descriptor.number
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Syscalls.readFile(number, $0) }
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The folders of this process's control group in version 2, at most one.
    static var ownControlGroup: [String] {
        (text(of: "/proc/self/cgroup") ?? "").split(separator: "\n").filter { $0.hasPrefix("0::/") }.map {
            "/sys/fs/cgroup\($0.dropFirst(3))"
        }
    }
}
