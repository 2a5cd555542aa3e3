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

    /// Writes a line and a line feed, or drops and counts it.
    ///
    /// - Parameters:
    ///   - line: UTF-8 of at most `longestLine` bytes; a longer one is cut, which leaves no whole line of JSON.
    ///   - notice: makes the line that says how many lines were dropped before this one, of at most `longestNotice` bytes.
    package func writeLine(_ line: [UInt8], notice: (_ dropped: UInt64) -> [UInt8]) {
        let before = takeDropped()
        // The notice and the line go out in one piece, because a part of it would be useless.
        var bytes: [UInt8] = []
        if before > 0 { bytes += notice(before).prefix(Self.longestNotice) + [UInt8(ascii: "\n")] }
        bytes += Self.bounded(line) + [UInt8(ascii: "\n")]
        if !writeAtOnce(bytes) { add(before + 1) }
    }

    /// The most bytes of a line. A pipe takes up to 4,096 bytes in one piece or not at all (`PIPE_BUF`), and a notice may
    /// precede the line.
    package static let longestLine = 3_800
    /// The most bytes of a notice.
    package static let longestNotice = 290

    private static func bounded(_ line: [UInt8]) -> ArraySlice<UInt8> {
        guard line.count > longestLine else { return line[...] }
        var end = longestLine - 3
        while end > 0, line[end] & 0xC0 == 0x80 { end -= 1 }
        return line[..<end] + Array("...".utf8)
    }

    /// Writes bytes that end with a line feed. A broken stream takes none, and is not waited for either.
    ///
    /// - Returns: whether the stream took them.
    package func writeAtOnce(_ bytes: [UInt8]) -> Bool {
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
