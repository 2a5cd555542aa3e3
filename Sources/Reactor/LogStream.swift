/// Where log lines go: a stream of which nobody may read, and that is never waited for.
///
/// What the kernel holds for the reader is the only buffer (64 KiB of a pipe). A line that finds no room there is dropped and
/// counted, and the first line that finds room again is preceded by one that says how many were. The count is the kernel's
/// too, in an eventfd: a log handler is a value that any thread may use, so it can keep none itself.
package struct LogStream: Sendable {
    /// How it is written without waiting.
    private enum Way {
        /// A socket, as a service manager's journal gives one.
        case socket
        /// A pipe or a terminal, opened once more: that it does not block is nobody else's affair then.
        case ownDescription
        /// A pipe or a terminal that cannot be opened again: the kernel is asked first, and gives room for a line or none.
        case askedFirst
        /// A file, which takes what it is given.
        case file
    }

    private let descriptor: Int32
    private let way: Way
    private let dropped: Int32

    /// Standard error, as it is now. To be made once: it lives as long as the process.
    package static func standardError() throws(SystemError) -> LogStream {
        try LogStream(number: StandardStream.error.rawValue)
    }

    /// - Parameter number: a descriptor that stays open.
    /// - Throws: there is no descriptor left.
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

    /// Writes a line, cut at 4,000 bytes, and its line feed; or drops and counts it.
    package func writeLine(_ text: String) {
        let before = takeDropped()
        // In one piece with the line: a few bytes of room are of no use to it.
        let notice = before > 0 ? "\(before) log lines were dropped, because nobody read them in time\n" : ""
        if !write(notice + Self.bounded(text) + "\n") { add(before + 1) }
    }

    /// A pipe takes 4,096 bytes in one piece or not at all (`PIPE_BUF`), and a notice may stand in front of the line.
    private static let longestLine = 4_000

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count >= longestLine else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: longestLine - 4)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end]) + "..."
    }

    /// Whether the stream took the line. One that is broken takes none, and is not waited for either.
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
