/// Why a server did not let a client in: the conditions of SASL (RFC 6120 §6.5), which SASL2 has too (XEP-0388).
///
/// The closed list keeps what a server writes out of logs and counters.
package enum LoginFailure: String, Sendable, Equatable, CaseIterable {
    case aborted = "aborted"
    case accountDisabled = "account-disabled"
    case credentialsExpired = "credentials-expired"
    case encryptionRequired = "encryption-required"
    case incorrectEncoding = "incorrect-encoding"
    case invalidAuthzid = "invalid-authzid"
    case invalidMechanism = "invalid-mechanism"
    case malformedRequest = "malformed-request"
    case mechanismTooWeak = "mechanism-too-weak"
    case notAuthorized = "not-authorized"
    case temporaryAuthFailure = "temporary-auth-failure"
    /// A condition that is not in the list, or none.
    case other = "other"

    /// The failure with the name of its condition as it came.
    package init(condition: [UInt8]) {
        self = Self.allCases.first { $0.rawValue.utf8.elementsEqual(condition) } ?? .other
    }

    /// Whether it can be a guess at an account or its password. The others are the server's fault, or a mechanism that
    /// does not suit it.
    package var mayBeGuess: Bool {
        switch self {
        case .accountDisabled, .credentialsExpired, .incorrectEncoding, .invalidAuthzid, .malformedRequest,
            .notAuthorized, .other:
            true
        case .aborted, .encryptionRequired, .invalidMechanism, .mechanismTooWeak, .temporaryAuthFailure: false
        }
    }
}
