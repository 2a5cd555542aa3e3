import COpenSSL

/// Takes the place of the socket from which OpenSSL reads ciphertext and to which it writes ciphertext.
///
/// The wire keeps no bytes between two calls, unlike a pair of memory BIOs, which take 1.8 KB a connection. OpenSSL
/// reads the caller's bytes where they are, and writes to the end of the caller's array. OpenSSL itself keeps the bytes
/// of an incomplete record.
@safe
final class Wire {
    /// The rest of the bytes being received; points into the caller's memory, so it is empty outside `exchange`.
    private var unread = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// The caller's array while a call runs, empty otherwise.
    private var outgoing: [UInt8] = []
    /// Whether OpenSSL gets nothing more to read, so that the current call ends.
    private var isShut = false

    /// Stops the reading for good, from inside one of OpenSSL's callbacks.
    func shut() {
        isShut = true
    }

    /// Runs `body`, in which OpenSSL reads from `ciphertext` and appends to `output`.
    ///
    /// The array is moved in and out, so nothing is copied.
    func exchange<Result>(
        _ ciphertext: Span<UInt8>, output: inout [UInt8], _ body: () -> Result
    ) -> Result {
        swap(&outgoing, &output)
        defer { swap(&outgoing, &output) }
        return unsafe ciphertext.withUnsafeBytes { bytes in
            unsafe unread = bytes
            defer { unsafe unread = UnsafeRawBufferPointer(start: nil, count: 0) }
            return body()
        }
    }

    /// The same for a call that receives nothing.
    func exchange<Result>(output: inout [UInt8], _ body: () -> Result) -> Result {
        swap(&outgoing, &output)
        defer { swap(&outgoing, &output) }
        return body()
    }

    /// A BIO over this object. The BIO does not retain it: the owner frees the BIO (with its SSL) first.
    func makeBIO(_ method: OpaquePointer) -> OpaquePointer? {
        guard let bio = unsafe BIO_new(method) else { return nil }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    /// The functions of such a BIO, one table for all BIOs of a context. `nil` without memory.
    static func makeMethod() -> OpaquePointer? {
        // The BIO needs no type number of its own, because nothing looks for it by type.
        guard let method = unsafe BIO_meth_new(BIO_TYPE_SOURCE_SINK, "holdfast wire") else { return nil }
        unsafe BIO_meth_set_read_ex(method) { bio, target, capacity, count in
            guard let bio = unsafe bio, let target = unsafe target, let count = unsafe count else { return 0 }
            unsafe holdfast_BIO_clear_retry_flags(bio)
            let wire = unsafe wire(of: bio)
            unsafe count.pointee = wire?.read(into: target, capacity: capacity) ?? 0
            if unsafe count.pointee > 0 { return 1 }
            // Without the flag OpenSSL takes this for a failure.
            if wire?.isShut == true { return 0 }
            unsafe holdfast_BIO_set_retry_read(bio)
            return 0
        }
        unsafe BIO_meth_set_write_ex(method) { bio, source, length, count in
            guard let bio = unsafe bio, let source = unsafe source, let count = unsafe count else { return 0 }
            unsafe holdfast_BIO_clear_retry_flags(bio)
            guard let wire = unsafe wire(of: bio) else { return 0 }
            unsafe wire.outgoing.append(contentsOf: UnsafeRawBufferPointer(start: source, count: length))
            unsafe count.pointee = length
            return 1
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return unsafe method
    }

    private func read(into target: UnsafeMutableRawPointer, capacity: Int) -> Int {
        let count = min(capacity, unsafe unread.count)
        guard count > 0, !isShut, let source = unsafe unread.baseAddress else { return 0 }
        unsafe target.copyMemory(from: source, byteCount: count)
        unsafe unread = UnsafeRawBufferPointer(rebasing: unread[count...])
        return count
    }
}

private func wire(of bio: OpaquePointer) -> Wire? {
    guard let data = unsafe BIO_get_data(bio) else { return nil }
    return unsafe Unmanaged<Wire>.fromOpaque(data).takeUnretainedValue()
}
