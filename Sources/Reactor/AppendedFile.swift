/// A file to which this process appends whole lines, while other processes do the same. Nothing here waits for a reader.
package final class AppendedFile {
    private let descriptor: Descriptor
    /// Whether the disk had room for a part of a line only, so that the next line begins behind that.
    private var endsInsideLine = false

    /// Takes over what `open` has opened, in this process or in another one.
    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Opens a file for appending, and creates one that only its user writes and its group reads. A pipe at the path needs
    /// a reader.
    ///
    /// - Throws: the kernel's reason, for instance `EACCES`.
    package static func open(_ path: String) throws(SystemError) -> Descriptor {
        Descriptor(owning: try Syscalls.openForAppending(path))
    }

    /// Appends lines that end with line feeds, in one piece.
    ///
    /// - Returns: whether all of them are in the file. They are not when the disk is full, or when a pipe's reader is slow.
    package func append(_ lines: [UInt8]) -> Bool {
        let bytes = endsInsideLine ? [UInt8(ascii: "\n")] + lines : lines
        let count = unsafe bytes.withUnsafeBytes { unsafe Syscalls.writeFile(descriptor.number, $0) }
        guard count > 0 else { return bytes.isEmpty }
        endsInsideLine = bytes[count - 1] != UInt8(ascii: "\n")
        return count == bytes.count
    }
}
