/// Every bound on what a client may send on one connection, in one place.
///
/// A value over its bound has a defined answer (see `HTTPFault`), always followed by closing the connection.
/// For comparison: nginx has 4 x 8 kB of head, HAProxy 16 kB and 101 fields, Apache 8,190-byte lines and 100 fields.
package struct HTTPLimits: Sendable, Equatable {
    /// Bytes of the request line without its line end; over it 414. RFC 9112 §3 asks for at least 8,000.
    package var requestLine: Int
    /// Bytes of the whole head, from the request line to the empty line inclusive; over it 431.
    package var head: Int
    /// Field lines in a head; over it 431.
    package var fields: Int
    /// Bytes of a decoded body; over it 413 (H-23).
    package var body: Int
    /// Requests of one connection that may wait for answers; at this number reading pauses (H-12).
    package var pipelining: Int
    /// Bytes of answers that may wait after an unanswered request; above them reading pauses.
    package var answers: Int

    /// Empty lines tolerated before a request line (RFC 9112 §2.2); over it 400.
    static let emptyLines = 4
    /// Bytes of one chunk-size line, extensions included, without its line end; over it 400.
    static let chunkLine = 256
    /// Bytes of all chunk extensions of one body. Without this bound a body of one-byte chunks could carry 256 times
    /// its limit.
    static let chunkExtensions = 8_192
    /// Bytes of the trailer section of one body; over it 431.
    static let trailer = 8_192

    /// Limits too low for any request are raised, and the request line's limit is kept within the head's.
    package init(
        requestLine: Int = 8_192,
        head: Int = 32_768,
        fields: Int = 100,
        body: Int = 1_048_576,
        pipelining: Int = 16,
        answers: Int = 262_144
    ) {
        self.head = max(head, 64)
        self.requestLine = min(max(requestLine, 16), self.head - 2)
        self.fields = max(fields, 1)
        self.body = max(body, 0)
        self.pipelining = max(pipelining, 1)
        self.answers = max(answers, 0)
    }
}
