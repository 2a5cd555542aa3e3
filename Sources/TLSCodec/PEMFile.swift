import COpenSSL

/// The content of a PEM file. It was read elsewhere: nothing here opens a file.
///
/// C API: BIO_new_mem_buf(3).
package struct PEMFile: Sendable, Hashable {
    /// Where it was read, for messages.
    package let path: String
    /// All its bytes. A key's are secret.
    package let bytes: [UInt8]

    /// A file that was read from `path`.
    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// The path has to do, because a CA file can be long. Files that differ are unequal all the same.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(path)
    }

    /// Calls `body` with a BIO that gives the bytes; `nil` without memory.
    func withBIO<Result>(_ body: (OpaquePointer?) throws(TLSError) -> Result) throws(TLSError) -> Result {
        guard !bytes.isEmpty else {
            // An empty array may have no address, which OpenSSL refuses.
            let bio = unsafe BIO_new(BIO_s_null())
            defer { unsafe BIO_free(bio) }
            return try unsafe body(bio)
        }
        return try unsafe bytes.span.withUnsafeBytes { bytes throws(TLSError) -> Result in
            let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
            defer { unsafe BIO_free(bio) }
            return try unsafe body(bio)
        }
    }

    /// Words for the fault of the file.
    ///
    /// - Parameters:
    ///   - entry: OpenSSL's error; `nil` when it found nothing wrong, and nothing that was looked for.
    ///   - kind: what the file is called: `CA file`.
    ///   - content: what it should have.
    func reason(_ entry: ErrorQueue.Entry?, kind: String, content: String) -> String {
        let file = "\(kind) '\(printable(path))'"
        guard let entry, !entry.isMissingContent else { return "\(file) holds no PEM \(content)" }
        return "\(file) holds no usable PEM \(content): \(entry.text)"
    }
}

extension PEMFile: CustomStringConvertible {
    /// The path alone, so that no key is ever printed.
    package var description: String { path }
}

/// A passphrase callback for OpenSSL, which would otherwise ask on the terminal. Notes in the `Bool` behind `context`, if
/// there is one, that it was asked.
func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, context: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe context?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
