/// Files that are read as a whole.
package enum FileContents {
    /// Reads a file to its end. Waits for a pipe.
    ///
    /// - Parameter most: the most bytes that it may have.
    /// - Returns: nil when it has more.
    /// - Throws: the file cannot be opened or read.
    package static func bytes(of path: String, atMost most: Int) throws(SystemError) -> [UInt8]? {
        let descriptor = Descriptor(owning: try Syscalls.openForReading(path))
        let number = descriptor.number
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: ReadBuffer.standardCapacity)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe Syscalls.readFile(number, $0) }
            guard count >= 0 else { throw SystemError(call: "read", result: count) }
            guard count > 0 else { return bytes }
            guard count <= most - bytes.count else { return nil }
            bytes.append(contentsOf: piece[..<count])
        }
    }
}
