import COpenSSL

/// The state of a TLS stream after bytes were received.
package enum TLSProgress: Equatable, Sendable {
    /// The handshake needs more bytes from the server.
    case handshaking
    /// The handshake ended with these bytes: the server has proved its domain, and `send` works from now on. Reported
    /// once.
    case established
    /// The stream is open.
    case open
    /// The server sent `close_notify`: nothing more will come. `send` still works until `close`.
    case closedByPeer
    /// The stream has failed for good. `reply` may hold an alert that the server should still get.
    case failed(TLSError)
}

/// The client's side of one TLS stream to an XMPP server: bytes in, bytes out, no socket.
///
/// Used by the thread of its context. Call `start` and write its output to the server. Then call `receive` with all
/// that comes, until `established`. After each call, write what was appended to `reply` or `output`, in order. The
/// server must prove `domain` (`PeerIdentity`) before the handshake counts as done.
///
/// C API: SSL_do_handshake(3), SSL_read_ex(3), SSL_write_ex(3), SSL_shutdown(3).
@safe
package final class TLSClient {
    private let context: TLSContext
    private let ssl: OpaquePointer
    private let wire: Wire
    private let identity: PeerIdentity
    private var phase = Phase.idle
    private var isCloseSent = false
    private var allowance = MessageAllowance()
    private var isFlooded = false
    /// Plaintext that OpenSSL did not write when it was sent.
    private var waiting: [UInt8] = []
    /// Whether a message of TLS itself came or went on the open stream since OpenSSL's buffers were last released.
    private var mayHoldBuffers = false
    /// When the server proved itself by its certificate: on this stream, or on the one whose session was offered.
    private var verifiedAt = 0
    /// Why the peer's certificate was refused; OpenSSL's own error only says that it was.
    private var refusal: TLSError?

    private enum Phase: Equatable {
        case idle, handshaking, open, closedByPeer
        case failed(TLSError)
    }

    /// Prepares a stream; this produces no byte.
    ///
    /// - Parameters:
    ///   - domain: the XMPP domain, U-labels or A-labels. It is sent as SNI unless it is an IP address.
    ///   - alpn: the protocol to announce, 1 to 255 bytes: `xmpp-client` on a direct TLS port (XEP-0368 §3), else
    ///     `nil`. A server may leave it unanswered; OpenSSL refuses a server that answers with another one (RFC 7301
    ///     §3.2).
    /// - Throws: `TLSError.ourFault` when `domain` or `alpn` cannot be sent, or without memory.
    package init(context: TLSContext, domain: String, alpn: String? = nil) throws(TLSError) {
        guard let identity = PeerIdentity(domain: domain) else {
            throw .ourFault(detail: "'\(printable(domain))' is not a domain name")
        }
        ErrorQueue.clear()
        let wire = Wire()
        guard let ssl = unsafe SSL_new(context.handle) else {
            throw .ourFault(detail: ErrorQueue.takeFirst()?.text ?? "no memory")
        }
        unsafe self.ssl = ssl
        self.context = context
        self.wire = wire
        self.identity = identity
        guard let bio = unsafe wire.makeBIO(context.bioMethod) else { throw .ourFault(detail: "no memory") }
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_connect_state(ssl)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        if !identity.isAddress, unsafe holdfast_SSL_set_tlsext_host_name(ssl, identity.asciiDomain) != 1 {
            throw .ourFault(detail: "'\(printable(domain))' is too long for SNI")
        }
        if let alpn {
            guard let length = UInt8(exactly: alpn.utf8.count), length > 0 else {
                throw .ourFault(detail: "'\(printable(alpn))' is not an ALPN protocol name")
            }
            let list = [length] + Array(alpn.utf8)
            guard unsafe SSL_set_alpn_protos(ssl, list, UInt32(list.count)) == 0 else {
                throw .ourFault(detail: "no memory")
            }
        }
        if let session = context.session(for: identity.asciiDomain, now: Self.now) {
            unsafe SSL_set_session(ssl, session.handle)
            verifiedAt = session.verifiedAt
        }
    }

    deinit {
        // Otherwise OpenSSL takes the stream for truncated and makes its session unusable for the next stream.
        if case .failed = phase {} else { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(ssl)
    }

    /// Appends the ClientHello to `output`. To be called once, first.
    ///
    /// - Throws: `TLSError.ourFault` when called twice, or when OpenSSL cannot begin.
    package func start(into output: inout [UInt8]) throws(TLSError) {
        guard phase == .idle else { throw .ourFault(detail: "a stream was started twice") }
        phase = .handshaking
        let progress = wire.exchange(output: &output) { handshake() }
        if case .failed(let error) = progress { throw error }
    }

    /// Takes bytes of the server, in pieces of any size.
    ///
    /// Appends decrypted bytes to `plaintext` (never more than came in) and bytes for the server to `reply`. Both may
    /// get bytes whatever the result is, even with `failed` and `closedByPeer`. Bytes after `close_notify` are dropped.
    package func receive(
        _ ciphertext: Span<UInt8>, plaintext: inout [UInt8], reply: inout [UInt8]
    ) -> TLSProgress {
        switch phase {
        case .idle: return fail(.ourFault(detail: "bytes were received before the stream was started"))
        case .failed(let error): return .failed(error)
        case .closedByPeer: return .closedByPeer
        case .handshaking, .open: break
        }
        let progress = wire.exchange(ciphertext, output: &reply) {
            guard phase == .handshaking else {
                let progress = read(into: &plaintext)
                guard progress == .open, let error = writeWaiting() else { return progress }
                return fail(error)
            }
            let progress = handshake()
            guard progress == .established else { return progress }
            let next = read(into: &plaintext)
            return next == .open ? .established : next
        }
        releaseBuffers()
        return progress
    }

    /// Releases the 16 KiB that OpenSSL takes for a message of TLS itself and would keep until data is sent: a session
    /// ticket has no answer, and new keys or an alert do not release it either.
    ///
    /// The release waits while a record is half received. When OpenSSL before 3.0.14 has read a record's head and
    /// nothing after it, it would free memory that it goes on to read (CVE-2024-4741).
    private func releaseBuffers() {
        guard mayHoldBuffers, phase == .open, isBetweenRecords, unsafe SSL_free_buffers(ssl) == 1 else { return }
        mayHoldBuffers = false
    }

    /// Reports the end of the TCP connection's input.
    ///
    /// Returns `closedByPeer` when `close_notify` had come, else a failure: `truncated` or `closedDuringHandshake`.
    package func endOfInput() -> TLSProgress {
        switch phase {
        case .failed(let error): .failed(error)
        case .closedByPeer: .closedByPeer
        case .open: fail(.truncated)
        case .idle, .handshaking: fail(.closedDuringHandshake)
        }
    }

    /// Encrypts all of `plaintext` and appends the records to `output`.
    ///
    /// While a message of TLS itself has only half come, such as a session ticket, nothing can be written. What is sent
    /// then is kept, and goes into the reply of a later `receive`.
    /// - Throws: `TLSError.ourFault` before `established` and after `close`; the stream's failure after it failed.
    package func send(_ plaintext: Span<UInt8>, into output: inout [UInt8]) throws(TLSError) {
        switch phase {
        case .failed(let error): throw error
        case .idle, .handshaking: throw .ourFault(detail: "bytes were sent before the handshake was over")
        case .open, .closedByPeer: break
        }
        guard !isCloseSent else { throw .ourFault(detail: "bytes were sent after the stream was closed") }
        guard !plaintext.isEmpty else { return }
        guard waiting.isEmpty else { return try wait(plaintext) }
        switch wire.exchange(output: &output, { write(plaintext) }) {
        case .all: return
        case .notYet: try wait(plaintext)
        case .failed(let error):
            _ = fail(error)
            throw error
        }
    }

    private enum Written {
        case all
        /// A message of TLS itself has only half come, and OpenSSL writes nothing before the rest is there.
        case notYet
        case failed(TLSError)
    }

    private func write(_ plaintext: Span<UInt8>) -> Written {
        ErrorQueue.clear()
        return unsafe plaintext.withUnsafeBytes { bytes in
            var count = 0
            let result = unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
            // The wire takes all bytes, so there is no partial write.
            if result == 1, count == bytes.count { return .all }
            if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .notYet }
            return .failed(.ourFault(detail: ErrorQueue.takeFirst()?.text ?? "OpenSSL did not take all bytes"))
        }
    }

    /// Keeps plaintext until OpenSSL writes again.
    private func wait(_ plaintext: Span<UInt8>) throws(TLSError) {
        guard waiting.count + plaintext.count <= Self.mostWaiting else {
            let error = TLSError.ourFault(detail: "the server began a message of TLS itself and did not end it")
            _ = fail(error)
            throw error
        }
        unsafe plaintext.withUnsafeBytes { unsafe waiting.append(contentsOf: $0) }
    }

    /// Writes the waiting plaintext, now that more has come.
    private func writeWaiting() -> TLSError? {
        guard !waiting.isEmpty else { return nil }
        switch write(waiting.span) {
        case .all:
            waiting = []
            return nil
        case .notYet: return nil
        case .failed(let error): return error
        }
    }

    /// The most bytes that may wait for the rest of a message of TLS itself.
    private static let mostWaiting = 8 * 1_048_576

    /// Whether OpenSSL waits for the head of a record (its state `RH`), not for its body.
    private var isBetweenRecords: Bool {
        guard let state = unsafe SSL_rstate_string(ssl) else { return false }
        return unsafe state[0] == CChar(UInt8(ascii: "R")) && state[1] == CChar(UInt8(ascii: "H"))
    }

    /// Appends `close_notify` to `output`. Nothing can be sent afterwards, but `receive` still works.
    ///
    /// Appends nothing when the stream was not established, has failed, or was closed before.
    package func close(into output: inout [UInt8]) {
        guard phase == .open || phase == .closedByPeer, !isCloseSent else { return }
        isCloseSent = true
        ErrorQueue.clear()
        _ = wire.exchange(output: &output) { unsafe SSL_shutdown(ssl) }
        ErrorQueue.clear()
        releaseBuffers()
    }

    /// Whether the handshake resumed an earlier session. Meaningful once established.
    package var isResumed: Bool {
        unsafe SSL_session_reused(ssl) == 1
    }

    /// Protocol and cipher suite for a log line, such as `TLSv1.3 TLS_AES_256_GCM_SHA384`. Meaningful once established.
    package var summary: String {
        let version = unsafe String(cString: SSL_get_version(ssl))
        guard let cipher = unsafe SSL_get_current_cipher(ssl), let name = unsafe SSL_CIPHER_get_name(cipher) else {
            return version
        }
        return version + " " + (unsafe String(cString: name))
    }

    private func handshake() -> TLSProgress {
        ErrorQueue.clear()
        let result = unsafe SSL_do_handshake(ssl)
        context.certificates.freeReplaced()
        if result == 1 {
            phase = .open
            return .established
        }
        if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .handshaking }
        let error = refusal ?? TLSError(ErrorQueue.takeFirst(), handshaking: true)
        // A server may fail on a session that it gave out. It must not do so for ever.
        context.forgetSession(for: identity.asciiDomain)
        return fail(error)
    }

    private func read(into plaintext: inout [UInt8]) -> TLSProgress {
        let scratch = unsafe context.scratch
        while true {
            ErrorQueue.clear()
            var count = 0
            let result = unsafe SSL_read_ex(ssl, scratch.baseAddress, scratch.count, &count)
            if isFlooded { return fail(.messageFlood) }
            if result == 1 {
                allowance.earn(count)
                unsafe plaintext.append(contentsOf: UnsafeBufferPointer(rebasing: scratch[..<count]))
                continue
            }
            switch unsafe SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ:
                return .open
            case SSL_ERROR_ZERO_RETURN:
                phase = .closedByPeer
                return .closedByPeer
            default:
                return fail(TLSError(ErrorQueue.takeFirst(), handshaking: false))
            }
        }
    }

    private func fail(_ error: TLSError) -> TLSProgress {
        ErrorQueue.clear()
        phase = .failed(error)
        return .failed(error)
    }
}

// The functions that OpenSSL calls while one of the methods above runs.
extension TLSClient {
    /// Checks the chain, then the name, then the pins. A refusal here, not after the handshake, sends the server an
    /// alert.
    ///
    /// Not called for a resumed session, which was checked when it was made, for the same domain and rules.
    static func verifyPeer(_ store: OpaquePointer?) -> Int32 {
        guard let store = unsafe store,
            let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let client = unsafe client(of: OpaquePointer(ssl))
        else { return 0 }
        client.refusal = unsafe client.refusalOfPeer(store)
        client.verifiedAt = now
        return client.refusal == nil ? 1 : 0
    }

    /// Counts messages besides data once the stream is open. OpenSSL handles any number of them in one call.
    static func noteMessage(_ ssl: OpaquePointer?, isOutgoing: Bool, type: Int32) {
        guard type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT else { return }
        guard let ssl = unsafe ssl, let client = unsafe client(of: ssl), client.phase == .open else { return }
        client.mayHoldBuffers = true
        guard !isOutgoing, !client.allowance.take() else { return }
        client.isFlooded = true
        client.wire.shut()
    }

    /// Takes over a resumable session. TLS 1.3 servers send it after the handshake, often twice.
    static func keepSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
        guard let ssl = unsafe ssl, let session = unsafe session, let client = unsafe client(of: ssl) else { return 0 }
        client.context.keep(
            unsafe .init(handle: session, verifiedAt: client.verifiedAt), for: client.identity.asciiDomain)
        return 1
    }

    /// Seconds of the machine's clock, by which OpenSSL judges certificates.
    private static var now: Int { time(nil) }

    private func refusalOfPeer(_ store: OpaquePointer) -> TLSError? {
        unsafe context.certificates.replaceEqual(in: store)
        guard unsafe X509_verify_cert(store) == 1 else {
            let certificate = unsafe X509_STORE_CTX_get_current_cert(store) ?? X509_STORE_CTX_get0_cert(store)
            return unsafe TLSError(
                verification: X509_STORE_CTX_get_error(store),
                subject: Self.text(of: X509_get_subject_name(certificate)),
                issuer: Self.text(of: X509_get_issuer_name(certificate)),
                validity: CertificateCheck.days(of: certificate))
        }
        guard let certificate = unsafe X509_STORE_CTX_get0_cert(store), unsafe identity.matches(certificate) else {
            unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH)
            let names = unsafe X509_STORE_CTX_get0_cert(store).map { unsafe PeerIdentity.names(of: $0) } ?? []
            return .wrongName(
                expected: printable(identity.domain), presented: names.prefix(8).map(\.description))
        }
        unsafe context.certificates.keep(store)
        guard !context.pins.isEmpty else { return nil }
        guard let pin = unsafe PinnedKey(of: certificate), context.pins.contains(pin.hash) else {
            unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
            return .pin(presented: unsafe PinnedKey(of: certificate)?.text ?? "unreadable")
        }
        return nil
    }

    private static func client(of ssl: OpaquePointer) -> TLSClient? {
        guard let data = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<TLSClient>.fromOpaque(data).takeUnretainedValue()
    }

    private static func text(of name: OpaquePointer?) -> String {
        guard let name = unsafe name else { return "" }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let text = unsafe X509_NAME_oneline(name, buffer.baseAddress, Int32(buffer.count)) else { return "" }
            return unsafe printable(String(cString: text))
        }
    }
}
