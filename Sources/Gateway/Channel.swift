import Deflate
import Primitives
import Reactor
import TLSCodec

/// A connection with everything between its socket and the protocol on it: the events that the kernel watches the
/// socket for, TLS, compression, and the outgoing bytes.
///
/// Only the channel keeps what the socket is watched for. Its owner states the wanted events again whenever they may
/// have changed, and learns at once if the kernel refuses.
struct Channel: ~Copyable {
    private var socket: StreamSocket
    /// Outgoing bytes, from `written` on; they are ciphertext when there is TLS.
    private var output: [UInt8] = []
    private var layers: Layers?
    private var writtenCount: UInt32 = 0
    /// How many of the unwritten bytes the peer itself has caused: the answers of TLS, and the bytes that `send` marks
    /// as replies.
    private(set) var unwrittenReplies: UInt32 = 0

    /// What stands between the bytes and the socket. Most connections have neither, so both are in an object of their own.
    private final class Layers {
        var tls: TLSClient?
        /// Whether the TLS handshake is over and the server has proved its name.
        var isEstablished = false
        var compression: StreamCompression?
    }

    init(_ socket: consuming StreamSocket) {
        self.socket = socket
    }

    private var written: Int {
        get { Int(writtenCount) }
        set { writtenCount = UInt32(clamping: newValue) }
    }

    private var tls: TLSClient? { layers?.tls }

    private var isEstablished: Bool { layers?.isEstablished ?? false }

    /// Compresses what is sent and expands what is received; nil on an uncompressed connection.
    var compression: StreamCompression? { layers?.compression }

    // MARK: What is watched

    /// The socket's descriptor, and the events that it is watched for; nil when it is not watched.
    var watching: (descriptor: Int32, interest: Interest?) { socket.watching }

    /// Whether the kernel watches the socket for bytes to read.
    var isReading: Bool { socket.isReading }

    /// Has the socket watched for `interest`. Events are reported under `token`, which is the same each time.
    ///
    /// - Throws: when the kernel refuses; then the socket is watched as before.
    mutating func watch(for interest: Interest, as token: Token, in poller: borrowing Poller) throws(SystemError) {
        try socket.watch(for: interest, as: token.raw, in: poller)
    }

    /// Stops watching a broken connection, which would be reported for ever, until it is to be read again.
    mutating func lookAway(in poller: borrowing Poller) { socket.lookAway(in: poller) }

    /// Stops watching the socket.
    mutating func unwatch(in poller: borrowing Poller) { socket.unwatch(in: poller) }

    // MARK: Protection and compression

    /// Whether TLS was begun.
    var isProtected: Bool { tls != nil }

    /// Whether an earlier TLS session was resumed (RFC 8446 §2.2).
    var isResumed: Bool { tls?.isResumed ?? false }

    /// Begins TLS: the first bytes of the handshake wait to be written.
    ///
    /// - Throws: when OpenSSL refuses; then the connection is unprotected as before.
    mutating func begin(_ client: TLSClient, pool: inout BufferPool) throws(TLSError) {
        lend(from: &pool)
        try client.start(into: &output)
        addedLayers().tls = client
    }

    /// Compresses what is sent from now on.
    mutating func begin(_ compression: StreamCompression) { addedLayers().compression = compression }

    private mutating func addedLayers() -> Layers {
        if let layers { return layers }
        let added = Layers()
        layers = added
        return added
    }

    /// Decrypts bytes that were read. Appends the plain text to `plain`, and puts the answers of TLS itself among the
    /// bytes to be written.
    mutating func unprotect(
        _ bytes: Span<UInt8>, into plain: inout [UInt8], pool: inout BufferPool
    ) -> TLSProgress? {
        guard let tls else { return nil }
        lend(from: &pool)
        let before = output.count
        let progress = tls.receive(bytes, plaintext: &plain, reply: &output)
        if progress == .established { layers?.isEstablished = true }
        unwrittenReplies += UInt32(clamping: output.count - before)
        if !hasUnwritten { pool.takeBack(&output) }
        return progress
    }

    /// The TLS error that an end of the connection means now; nil when the handshake is over or there is no TLS.
    func endOfHandshake() -> TLSError? {
        guard let tls, !isEstablished, case .failed(let error) = tls.endOfInput() else { return nil }
        return error
    }

    // MARK: What comes in

    /// Reads once, at most as much as the buffer holds, and replaces the buffer's content.
    func read(into buffer: inout ReadBuffer) -> ReadResult { socket.read(into: &buffer) }

    /// How many unread bytes the kernel holds.
    var unreadCount: Int { socket.unreadCount }

    // MARK: What goes out

    var hasUnwritten: Bool { written < output.count }

    var unwrittenCount: Int { output.count - written }

    /// How many bytes that the kernel was given the peer has not acknowledged; nil when the kernel does not say.
    var unacknowledgedCount: Int? { socket.unacknowledgedCount }

    /// Whether the connection broke after its last read and write. Asking makes the kernel forget it.
    func takeBreak() -> Bool {
        // The error that a socket has kept for its owner is the same as the one of a connection that could not be made.
        socket.finishConnect() != nil
    }

    /// How many bytes of memory the outgoing buffer takes.
    var heldBytes: Int { output.heldBytes }

    /// Appends bytes to those that wait, compressed and protected as the connection is.
    ///
    /// - Parameter isReply: whether the peer itself has caused them.
    /// - Throws: when compression or TLS is broken; then nothing was added.
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

    /// Lets `append` add bytes to those that wait. If none wait, `append` gets an array without content and may replace
    /// it by another one.
    mutating func fill(_ append: (inout [UInt8]) -> Void) {
        if !hasUnwritten {
            written = 0
            output.removeAll(keepingCapacity: true)
        }
        append(&output)
    }

    /// Lets `append` add bytes to those that wait, on a connection without TLS and compression.
    mutating func append(pool: inout BufferPool, _ append: (inout [UInt8]) -> Void) {
        lend(from: &pool)
        append(&output)
    }

    /// Another descriptor of the socket, for an owner of another kind.
    ///
    /// - Throws: descriptors have run out.
    func copyDescriptor() throws(SystemError) -> Descriptor { try socket.descriptor.copy() }

    /// Writes the waiting bytes, with one call.
    mutating func write() -> WriteResult {
        let result = socket.write(output, from: written)
        if case .wrote(let count) = result { written += count }
        return result
    }

    /// Removes the written bytes once they are most of the buffer, so that a slow peer does not make it grow for ever.
    mutating func compact() {
        guard written > 64 * 1024, written > output.count / 2 else { return }
        // A new array, so that the memory of the written bytes is returned.
        output = Array(output[written...])
        written = 0
    }

    /// Gives the buffer back once everything is written. Returns false when bytes are left, or when nothing was
    /// written.
    @discardableResult
    mutating func release(to pool: inout BufferPool) -> Bool {
        guard !hasUnwritten else { return false }
        unwrittenReplies = 0
        guard written > 0 else { return false }
        written = 0
        pool.takeBack(&output)
        return true
    }

    /// Drops the waiting bytes.
    mutating func drop(to pool: inout BufferPool) {
        written = 0
        unwrittenReplies = 0
        output.removeAll(keepingCapacity: true)
        pool.takeBack(&output)
    }

    /// Exchanges the empty buffer for one from the pool.
    private mutating func lend(from pool: inout BufferPool) { pool.lend(to: &output) }

    // MARK: The end

    /// Ends the writing side: the peer sees the end once it has read everything.
    ///
    /// - Throws: when the connection is gone.
    func shutdownWrite() throws(SystemError) { try socket.shutdownWrite() }

    /// Leaves the poller and drops the waiting bytes. If everything was written, sends the closing message of TLS (RFC
    /// 8446 §6.1).
    mutating func close(in poller: borrowing Poller, to pool: inout BufferPool) {
        if let tls, isEstablished, !hasUnwritten {
            var goodbye: [UInt8] = []
            tls.close(into: &goodbye)
            // If the peer does not take it, nothing is lost: the stream has ended already.
            _ = socket.write(goodbye)
        }
        layers = nil
        drop(to: &pool)
        // The descriptor stays open after this batch if somebody still holds the object, so it leaves the poller now.
        socket.unwatch(in: poller)
    }
}

/// Why bytes cannot be sent over an intact connection.
enum ChannelFault: Error {
    /// zlib has no memory.
    case compression
    case protection(TLSError)
}

/// Both directions of a compressed stream (XEP-0138).
final class StreamCompression {
    var deflater: StreamDeflater
    var inflater: StreamInflater

    /// Fails when there is no memory.
    init?() {
        guard let deflater = StreamDeflater(), let inflater = StreamInflater() else { return nil }
        self.deflater = deflater
        self.inflater = inflater
    }
}
