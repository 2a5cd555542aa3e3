/// Why a connection's input was refused. The answer has `status` and `Connection: close` and follows the answers still
/// owed. Nothing is read afterwards: two parties that disagree on where a message ends must not continue.
package enum HTTPFault: Error, Sendable, Equatable, CaseIterable {
    /// The request line is not `method SP target SP version CRLF`.
    case badRequestLine
    /// The target has none of the four forms of RFC 9112 §3.2, or has a byte that no URI may have.
    case badTarget
    /// A well-formed version other than 1.0 and 1.1.
    case unsupportedVersion
    /// CR without LF, or LF without CR (RFC 9112 §2.2).
    case badLineEnd
    /// More empty lines before a request than are tolerated.
    case tooManyEmptyLines
    /// A field name that is empty or no token.
    case badFieldName
    /// White space before the colon (RFC 9112 §5.1).
    case spaceBeforeColon
    /// A field line continued by leading white space (RFC 9112 §5.2).
    case foldedField
    /// A control byte in a field value (RFC 9110 §5.5).
    case badFieldValue
    /// HTTP/1.1 without `Host` (RFC 9112 §3.2, H-15).
    case missingHost
    /// Two `Host` lines, or one that is not `host [":" port]`.
    case badHost
    /// `Content-Length` is not 1*DIGIT, does not fit, or comes twice (RFC 9112 §6.3, H-16).
    case badContentLength
    /// `Transfer-Encoding` other than exactly `chunked`, twice, or in HTTP/1.0 (RFC 9112 §6.1).
    case badTransferEncoding
    /// `Transfer-Encoding` and `Content-Length` in one head (RFC 9112 §6.1).
    case ambiguousFraming
    /// A chunk-size line that is not plain hexadecimal, or an invalid extension or end of a chunk (RFC 9112 §7.1).
    case badChunk
    /// A trailer line that is not a field line (RFC 9112 §7.1.2).
    case badTrailer
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1, H-18).
    case unknownExpectation
    case requestLineTooLong
    case headTooLarge
    case tooManyFields
    case bodyTooLarge
    case trailerTooLarge
    /// The deadline for head or body passed (H-26). The owner, who has the clock, raises it.
    case timeout
    /// There is no memory for the body. The owner, who knows what all connections take, raises it.
    case overloaded

    /// The status of the answer.
    package var status: HTTPStatus {
        switch self {
        case .unsupportedVersion: .versionNotSupported
        case .unknownExpectation: .expectationFailed
        case .requestLineTooLong: .uriTooLong
        case .headTooLarge, .tooManyFields, .trailerTooLarge: .headTooLarge
        case .bodyTooLarge: .contentTooLarge
        case .timeout: .requestTimeout
        case .overloaded: .serviceUnavailable
        default: .badRequest
        }
    }
}
