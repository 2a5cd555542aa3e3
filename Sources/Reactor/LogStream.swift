/// The stream for log lines. Perhaps nobody reads it, so writing never waits.
///
/// The only buffer is the kernel's (64 KiB for a pipe). A line that does not fit is dropped and counted; before the
/// next line that fits, a line tells how many were dropped. The count is in the kernel too, in an eventfd, because a
/// log handler is a value that any thread may use and cannot keep a count itself.
package struct LogStream: Sendable {
    /// How to write without waiting.
    private enum Way {
        /// A socket, such as a service manager's journal.
        case socket
        /// A pipe or a terminal that was opened again, so that making it non-blocking affects no other process.
        case ownDescription
        /// A pipe or a terminal that cannot be opened again. The kernel is asked first whether a whole line fits.
        case askedFirst
        /// A file, which accepts all bytes.
        case file
    }

    private let descriptor: Int32
    private let way: Way
    private let dropped: Int32

    /// Standard error as it is now. Make it once: it lives as long as the process.
    package static func standardError() throws(SystemError) -> LogStream {
        try LogStream(number: StandardStream.error.rawValue)
    }

    /// - Parameter number: a descriptor that stays open.
    /// - Throws: no descriptor is left.
    init(number: Int32) throws(SystemError) {
        dropped = try Syscalls.makeEventCounter()
        switch Syscalls.status(of: number)?.kind {
        case .socket:
            way = .socket
            descriptor = number
        case .pipe, .characterDevice:
            do throws(SystemError) {
                descriptor = try Syscalls.openForWriting("/proc/self/fd/\(number)")
                way = .ownDescription
            } catch {
                descriptor = number
                way = .askedFirst
            }
        case .other, nil:
            way = .file
            descriptor = number
        }
    }

    /// Writes a line, cut at 4,000 bytes, and a line feed, or drops and counts it.
    package func writeLine(_ text: String) {
        let before = takeDropped()
        // The notice and the line go out in one piece, because a part of it would be useless.
        let notice = before > 0 ? "\(before) log lines were dropped, because nobody read them in time\n" : ""
        if !write(notice + Self.bounded(text) + "\n") { add(before + 1) }
    }

    /// A pipe takes up to 4,096 bytes in one piece or not at all (`PIPE_BUF`), and a notice may precede the line.
    private static let longestLine = 4_000

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count >= longestLine else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: longestLine - 4)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end]) + "..."
    }

    /// Whether the stream took the line. A broken stream takes none, and is not waited for either.
    private func write(_ line: String) -> Bool {
        let bytes = Array(line.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe writeSome(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
            }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    private func writeSome(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch way {
        case .socket:
            return unsafe Syscalls.sendAtOnce(descriptor, bytes)
        case .askedFirst:
            return unsafe Syscalls.isWritable(descriptor) ? Syscalls.writeFile(descriptor, bytes) : 0
        case .ownDescription, .file:
            return unsafe Syscalls.writeFile(descriptor, bytes)
        }
    }

    private func takeDropped() -> UInt64 {
        var count: UInt64 = 0
        let size = unsafe withUnsafeMutableBytes(of: &count) { unsafe Syscalls.readFile(dropped, $0) }
        return size == MemoryLayout<UInt64>.size ? count : 0
    }

    private func add(_ count: UInt64) {
        var count = count
        _ = unsafe withUnsafeBytes(of: &count) { unsafe Syscalls.writeFile(dropped, $0) }
    }
}
