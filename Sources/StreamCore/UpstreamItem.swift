/// The attributes of the `<stream:stream>` header that a server sent (RFC 6120 §4.7).
package struct StreamHeader: Sendable, Equatable {
    /// `from`, empty when absent.
    package var from: String
    /// `id`, empty when absent.
    package var id: String
    /// `version` as major and minor number; nil when absent, which means that the server is older than RFC 3920.
    package var version: (major: UInt32, minor: UInt32)?

    /// Creates a header from its parts.
    package init(from: String, id: String, version: (major: UInt32, minor: UInt32)?) {
        self.from = from
        self.id = id
        self.version = version
    }

    package static func == (left: StreamHeader, right: StreamHeader) -> Bool {
        left.from == right.from && left.id == right.id && left.version?.major == right.version?.major
            && left.version?.minor == right.version?.minor
    }
}

/// What a `<stream:features/>` says about STARTTLS (RFC 6120 §5.3).
package enum StartTLSOffer: Sendable, Equatable {
    /// Not offered.
    case absent
    /// Offered.
    case offered
    /// Offered and mandatory.
    case required
}

/// The part of a `<stream:features/>` that this program itself needs, and not the client.
package struct FeaturesOffer: Sendable, Equatable {
    /// STARTTLS (RFC 6120 §5.3).
    package var startTLS: StartTLSOffer
    /// Whether stream compression with the method `zlib` is offered (XEP-0138 §3).
    package var offersZlib: Bool
    /// Whether the server offers a way to authenticate, SASL (RFC 6120 §6.3) or SASL2 (XEP-0388): then nobody has
    /// logged in on this stream yet.
    package var offersSASL: Bool
    /// After how many seconds without traffic the server may close the stream (XEP-0478 §3); nil when the server does
    /// not say.
    package var idleSeconds: UInt32?

    /// Creates an offer; features that are not given are not offered.
    package init(
        startTLS: StartTLSOffer = .absent, offersZlib: Bool = false, offersSASL: Bool = false,
        idleSeconds: UInt32? = nil
    ) {
        self.startTLS = startTLS
        self.offersZlib = offersZlib
        self.offersSASL = offersSASL
        self.idleSeconds = idleSeconds
    }
}

/// What an element of the server says about the client's login. It has a meaning only until the client has logged in.
package enum LoginSign: Sendable, Equatable {
    /// The element says nothing about the login.
    case none
    /// The server has let the client in. It says so by `<success/>` of SASL (RFC 6120 §6.4.6) or SASL2 (XEP-0388), or
    /// by an empty result, which accepts a password that was sent as jabber:iq:auth (XEP-0078 §3.1).
    ///
    /// Before login an empty result can also mean that an account was registered (XEP-0077 §3.1) or an invitation was
    /// accepted (XEP-0445). In these cases, too, the server knows the client from then on, so no request has to be
    /// remembered.
    case success
    /// The server has sent its form for registering an account (XEP-0077 §3.1).
    case registration
    /// The server has refused a login, by `<failure/>` of SASL or SASL2, or by an error of the type `iq` with the
    /// condition `<not-authorized/>` or the code 401, which refuses a password that was sent as jabber:iq:auth.
    ///
    /// Before login an error with this condition can also refuse a registration, which few servers do.
    case failure(LoginFailure)
}

/// What a server has said about the management of a stream (XEP-0198), in ascending order. The server says it by
/// `<enabled/>` or `<resumed/>`, which stand alone or in the `<success/>` of SASL2.
package enum StreamManagement: UInt8, Sendable, Comparable {
    /// The server has said nothing.
    case none
    /// Client and server count the stanzas that they get from each other. However the stream ends, the server deals
    /// with those that the client has not acknowledged (`T-12` c).
    case counting
    /// In addition, the server keeps a stream whose connection is lost until the client resumes it. `</stream:stream>`
    /// would end such a stream.
    case resumable

    package static func < (left: StreamManagement, right: StreamManagement) -> Bool { left.rawValue < right.rawValue }
}

/// One item that a server sent on its stream, already checked by the codec.
///
/// `bytes` are complete elements that can stand in a BOSH response as they are. They declare every namespace that they
/// use, except the prefix `stream` of features and errors, which the response declares on its body.
package enum UpstreamItem: Sendable, Equatable {
    /// The stream header.
    case header(StreamHeader)
    /// The features, without those that only concern this program's own connection (`X-06`).
    case features(FeaturesOffer, bytes: [UInt8])
    /// `<proceed/>`: TLS starts with the next byte.
    case proceed
    /// `<failure/>` of STARTTLS.
    case startTLSFailure
    /// `<compressed/>`: the stream is compressed from the next byte on (XEP-0138 §4).
    case compressed
    /// `<failure/>` of stream compression; the stream goes on as it is.
    case compressionFailure
    /// `<stream:error/>`, with the name of its defined condition. `redirect`: the text of `<see-other-host/>` without
    /// white space around it, 1 to 300 bytes; nil for other conditions, and for a text that cannot be a host and a
    /// port.
    case streamError(condition: String, redirect: String?, bytes: [UInt8])
    /// Any other first-level element (`X-16`), with what it says about the management of the stream and the client's
    /// login.
    case stanza(bytes: [UInt8], management: StreamManagement = .none, login: LoginSign = .none)
    /// Any other first-level element that is well-formed, but too deep, too wide or too large to be delivered.
    indirect case skipped(SkippedStanza)
    /// `</stream:stream>`.
    case end
    /// The bytes are not an XMPP stream, or break a limit; nothing after them can be trusted.
    case fault(StreamFault)
}

/// Why a server's bytes were refused.
package enum StreamFault: Sendable, Equatable {
    /// Not well-formed, not namespace-well-formed, or not UTF-8.
    case malformed
    /// A DTD, processing instruction, comment or foreign entity (RFC 6120 §11.1).
    case restrictedXML
    /// The root is not `<stream/>` in the streams namespace, or the namespace of the content is not `jabber:client`.
    case invalidNamespace
    /// The first bytes are a TLS record: the server expects TLS from the first byte on (XEP-0368).
    case tlsRecord
    /// The XML is too deep or too large, or has too many attributes; the name of the limit.
    case limit(String)
}

extension StreamFault: CustomStringConvertible {
    /// A few words for a log.
    package var description: String {
        switch self {
        case .malformed: "not well-formed"
        case .restrictedXML: "a DTD, comment, processing instruction or entity, which XMPP forbids"
        case .invalidNamespace: "not an XMPP stream for clients"
        case .tlsRecord: "TLS where a stream was expected"
        case .limit(let name): "above the bound on \(name)"
        }
    }
}
