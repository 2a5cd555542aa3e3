import Deflate
import Primitives
import Reactor
import TLSCodec

/// A connection with everything that lies between its socket and the protocol that is spoken on it: what the kernel watches the
/// socket for, TLS, compression, and the bytes that are on their way out.
///
/// What is watched stands here and nowhere else. What is wanted is said anew whenever it may have changed, and a kernel that
/// refuses is told to whoever said it.
struct Channel: ~Copyable {
    private var socket: StreamSocket
    /// Bytes on their way out, from `written` on; ciphertext where there is TLS.
    private var output: [UInt8] = []
    private var written = 0
    private var tls: TLSClient?
    /// Whether the TLS handshake is over, and the server has proved its name.
    private var isEstablished = false
    /// What compresses what goes out, and undoes it for what comes in; nil when nothing does.
    private(set) var compression: StreamCompression?
    /// How many of the unwritten bytes the peer itself has caused: the answers of TLS, and those that `send` is told of.
    private(set) var unwrittenReplies: UInt32 = 0

    init(_ socket: consuming StreamSocket) {
        self.socket = socket
    }

    // MARK: What is watched

    /// Its number, and what it is watched for; nil when it is not.
    var watching: (descriptor: Int32, interest: Interest?) { socket.watching }

    /// Whether the kernel watches it for bytes to read.
    var isReading: Bool { socket.isReading }

    /// Has it watched for `interest`; events are reported under `token`, the same each time.
    ///
    /// - Throws: the kernel refused: it is watched for what it was before.
    mutating func watch(for interest: Interest, as token: Token, in poller: borrowing Poller) throws(SystemError) {
        try socket.watch(for: interest, as: token.raw, in: poller)
    }

    /// Looks away from a connection that is broken, which would be reported for ever, until it is to be read.
    mutating func lookAway(in poller: borrowing Poller) { socket.lookAway(in: poller) }

    /// Stops watching it.
    mutating func unwatch(in poller: borrowing Poller) { socket.unwatch(in: poller) }

    // MARK: Protection and compression

    /// Whether TLS was begun.
    var isProtected: Bool { tls != nil }

    /// Whether the TLS session was resumed (RFC 8446 §2.2).
    var isResumed: Bool { tls?.isResumed ?? false }

    /// Begins TLS: the first bytes of the handshake wait to be written.
    ///
    /// - Throws: OpenSSL refuses; the connection is unprotected as before.
    mutating func begin(_ client: TLSClient, pool: inout BufferPool) throws(TLSError) {
        lend(from: &pool)
        try client.start(into: &output)
        tls = client
    }

    /// Compresses what is sent from here on.
    mutating func begin(_ compression: StreamCompression) { self.compression = compression }

    /// Undoes the protection of bytes that were read. The plain text is appended to `plain`, and answers of TLS itself wait to be
    /// written.
    mutating func unprotect(
        _ bytes: Span<UInt8>, into plain: inout [UInt8], pool: inout BufferPool
    ) -> TLSProgress? {
        guard let tls else { return nil }
        lend(from: &pool)
        let before = output.count
        let progress = tls.receive(bytes, plaintext: &plain, reply: &output)
        if progress == .established { isEstablished = true }
        unwrittenReplies += UInt32(clamping: output.count - before)
        if !hasUnwritten { pool.takeBack(&output) }
        return progress
    }

    /// What TLS says of an end of the connection; nil where the handshake is over, or there is no TLS.
    func endOfHandshake() -> TLSError? {
        guard let tls, !isEstablished, case .failed(let error) = tls.endOfInput() else { return nil }
        return error
    }

    // MARK: What comes in

    /// Reads once, at most the buffer's capacity, replacing what the buffer held.
    func read(into buffer: inout ReadBuffer) -> ReadResult { socket.read(into: &buffer) }

    /// How many bytes the kernel holds that were not read.
    var unreadCount: Int { socket.unreadCount }

    // MARK: What goes out

    var hasUnwritten: Bool { written < output.count }

    var unwrittenCount: Int { output.count - written }

    /// How many bytes the peer has not acknowledged of those that the kernel was given; nil when the kernel does not say.
    var unacknowledgedCount: Int? { socket.unacknowledgedCount }

    /// How many bytes of memory are set aside for what waits.
    var heldBytes: Int { output.heldBytes }

    /// Puts bytes behind those that wait, compressed and protected as the connection is.
    ///
    /// - Parameter isReply: whether the peer itself has caused them.
    /// - Throws: compression or TLS is broken; nothing was added then.
    mutating func send(_ bytes: [UInt8], isReply: Bool = false, pool: inout BufferPool) throws(ChannelFault) {
        if isReply { unwrittenReplies += UInt32(clamping: bytes.count) }
        var bytes = bytes
        if let compression {
            var compressed: [UInt8] = []
            guard compression.deflater.deflate(bytes.span, into: &compressed) else { throw .compression }
            bytes = compressed
        }
        lend(from: &pool)
        guard let tls else {
            output.append(contentsOf: bytes)
            return
        }
        do throws(TLSError) {
            try tls.send(bytes.span, into: &output)
        } catch {
            throw .protection(error)
        }
    }

    /// Lets `append` put bytes behind those that wait. Where none do, it is given an array without storage, and may put
    /// another one in its place.
    mutating func fill(_ append: (inout [UInt8]) -> Void) {
        if !hasUnwritten {
            written = 0
            output.removeAll(keepingCapacity: true)
        }
        append(&output)
    }

    /// Writes once what waits.
    mutating func write() -> WriteResult {
        let result = socket.write(output, from: written)
        if case .wrote(let count) = result { written += count }
        return result
    }

    /// Drops what was written once it is most of the buffer, so that a slow peer does not make it grow for ever.
    mutating func compact() {
        guard written > 64 * 1024, written > output.count / 2 else { return }
        // Into an array of its own, so that the pages of what was written go back.
        output = Array(output[written...])
        written = 0
    }

    /// Gives the buffer back once all was written; false when more is to be, or nothing was.
    @discardableResult
    mutating func release(to pool: inout BufferPool) -> Bool {
        guard !hasUnwritten else { return false }
        unwrittenReplies = 0
        guard written > 0 else { return false }
        written = 0
        pool.takeBack(&output)
        return true
    }

    /// Forgets what waits.
    mutating func drop(to pool: inout BufferPool) {
        written = 0
        unwrittenReplies = 0
        output.removeAll(keepingCapacity: true)
        pool.takeBack(&output)
    }

    /// Exchanges the empty buffer for one of the pool's.
    private mutating func lend(from pool: inout BufferPool) { pool.lend(to: &output) }

    // MARK: The end

    /// Ends the writing side: the peer reads an end of stream once it has read everything.
    ///
    /// - Throws: the connection is gone.
    func shutdownWrite() throws(SystemError) { try socket.shutdownWrite() }

    /// Leaves the poller and forgets what waits. Where everything was written, TLS says goodbye (RFC 8446 §6.1).
    mutating func close(in poller: borrowing Poller, to pool: inout BufferPool) {
        if let tls, isEstablished, !hasUnwritten {
            var goodbye: [UInt8] = []
            tls.close(into: &goodbye)
            // A peer that does not take it loses nothing: the stream has ended already.
            _ = socket.write(goodbye)
        }
        tls = nil
        compression = nil
        drop(to: &pool)
        // The descriptor outlives this batch if somebody still holds the object, so it leaves the poller now.
        socket.unwatch(in: poller)
    }
}

/// What keeps bytes from being sent over a connection that stands.
enum ChannelFault: Error {
    /// zlib has no memory.
    case compression
    case protection(TLSError)
}

/// Both directions of a compressed stream (XEP-0138).
final class StreamCompression {
    var deflater: StreamDeflater
    var inflater: StreamInflater

    /// Nil when there is no memory.
    init?() {
        guard let deflater = StreamDeflater(), let inflater = StreamInflater() else { return nil }
        self.deflater = deflater
        self.inflater = inflater
    }
}
