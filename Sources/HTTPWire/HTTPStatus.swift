/// The status codes that this server sends (RFC 9110 §15).
package enum HTTPStatus: Int, Sendable, Equatable, CaseIterable {
    case ok = 200
    case noContent = 204
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case lengthRequired = 411
    case contentTooLarge = 413
    case uriTooLong = 414
    case unsupportedMediaType = 415
    case expectationFailed = 417
    case upgradeRequired = 426
    case tooManyRequests = 429
    case headTooLarge = 431
    case internalServerError = 500
    case notImplemented = 501
    case badGateway = 502
    case serviceUnavailable = 503
    case versionNotSupported = 505

    /// The code and the reason phrase of the status line.
    package var line: String {
        switch self {
        case .ok: "200 OK"
        case .noContent: "204 No Content"
        case .badRequest: "400 Bad Request"
        case .unauthorized: "401 Unauthorized"
        case .forbidden: "403 Forbidden"
        case .notFound: "404 Not Found"
        case .methodNotAllowed: "405 Method Not Allowed"
        case .requestTimeout: "408 Request Timeout"
        case .lengthRequired: "411 Length Required"
        case .contentTooLarge: "413 Content Too Large"
        case .uriTooLong: "414 URI Too Long"
        case .unsupportedMediaType: "415 Unsupported Media Type"
        case .expectationFailed: "417 Expectation Failed"
        case .upgradeRequired: "426 Upgrade Required"
        case .tooManyRequests: "429 Too Many Requests"
        case .headTooLarge: "431 Request Header Fields Too Large"
        case .internalServerError: "500 Internal Server Error"
        case .notImplemented: "501 Not Implemented"
        case .badGateway: "502 Bad Gateway"
        case .serviceUnavailable: "503 Service Unavailable"
        case .versionNotSupported: "505 HTTP Version Not Supported"
        }
    }

    /// Whether the answer has a body. A 204 has neither body nor `Content-Length` (RFC 9110 §8.6).
    var hasContent: Bool { self != .noContent }
}
