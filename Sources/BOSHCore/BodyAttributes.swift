import Bridge
import Primitives

/// A number as an attribute gives it: digits within a bound, or recognisably wrong.
///
/// Because "wrong" is a value, the session can answer `bad-request` where the specification wants it (`S-19`, `S-20`)
/// and ignore the attribute elsewhere (`A-07`).
package enum NumberAttribute: Sendable, Equatable {
    /// The attribute is not there.
    case absent
    /// A run of digits that fits 2^53-1.
    case value(UInt64)
    /// Anything else: empty, signed, not digits, too large.
    case malformed

    /// Reads digits, at most 2^53-1 (XEP-0124 §14.1).
    package init(parsing text: Span<UInt8>) {
        var start = 0
        var end = text.count
        // XML Schema integers may have white space around them.
        while start < end, text[start].isXMLSpace { start += 1 }
        while end > start, text[end - 1].isXMLSpace { end -= 1 }
        guard start < end else {
            self = .malformed
            return
        }
        var value: UInt64 = 0
        for index in start..<end {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else {
                self = .malformed
                return
            }
            value = value * 10 + UInt64(digit)
            guard value <= RequestID.maximum else {
                self = .malformed
                return
            }
        }
        self = .value(value)
    }

    /// The number, if there is one.
    package var number: UInt64? {
        if case .value(let number) = self { return number }
        return nil
    }
}

/// What the `sid` attribute refers to.
package enum SessionReference: Sendable, Equatable {
    /// No `sid`: a creation request (XEP-0124 §7.1).
    case absent
    /// An identifier of the form this program writes.
    case known(SessionID)
    /// Not an identifier that this program ever gave out: `item-not-found` (`S-24`, `R-12`).
    case foreign
}

/// The `type` attribute of a request.
package enum BodyType: Sendable, Equatable {
    /// `type='terminate'` (XEP-0124 §13), or `'terminal'`, as gloox writes.
    case terminate
    /// `type='error'` or any other word: without meaning in a request, treated as absent.
    case other
}

/// The attributes of one `<body/>` request, read but not yet judged.
///
/// It is small, because it is passed on many times. Attributes that few requests carry are stored separately.
///
/// Specification: XEP-0124 §7-§16, XEP-0206 §3-§5.
package struct BodyAttributes: Sendable, Equatable {
    /// `rid`, required in every request (XEP-0124 §14.1).
    package var rid = NumberAttribute.absent
    /// `type`; nil when absent.
    package var type: BodyType?
    /// `xmpp:restart='true'` or `'1'` (XEP-0206 §5).
    package var isRestart = false
    /// `ack` (XEP-0124 §9).
    package var ack = NumberAttribute.absent
    /// `pause`, in seconds (XEP-0124 §10).
    package var pause = NumberAttribute.absent
    /// `sid`.
    package var sid = SessionReference.absent
    private var box: Boxed<RareBodyAttributes>?

    /// Whether `rare` contains anything.
    package var hasRare: Bool { box != nil }

    /// The attributes that few requests carry. To change several of them, take the value out and put it back, because
    /// each change allocates.
    package var rare: RareBodyAttributes {
        get { box?.value ?? RareBodyAttributes() }
        set { box = newValue == RareBodyAttributes() ? nil : Boxed(newValue) }
    }

    /// A request without any attribute.
    package init() {}

    /// Whether the request asks for something that needs a session: a pause, a restart, or one of several streams.
    var isForSession: Bool { pause != .absent || isRestart || hasRare && rare.stream != nil }
}

/// The attributes that few requests carry: session creations, and requests of clients that use keys or several streams.
package struct RareBodyAttributes: Sendable, Equatable {
    /// `wait`, in seconds (XEP-0124 §7.1).
    package var wait = NumberAttribute.absent
    /// `hold`, a number of requests.
    package var hold = NumberAttribute.absent
    /// `ver`; nil when absent or not a version, which makes the client a legacy one (`S-14`).
    package var version: ProtocolVersion?
    /// `xmpp:version`; nil when absent or not a version.
    package var xmppVersion: ProtocolVersion?
    /// `to`: the XMPP domain.
    package var to: PeerText?
    /// `from`: the client's own address.
    package var from: PeerText?
    /// `xml:lang`.
    package var language: PeerText?
    /// `route`, not decoded.
    package var route: PeerText?
    /// `content`: the media type that the client wants.
    package var content: PeerText?
    /// `key` (XEP-0124 §15).
    package var key: PeerText?
    /// `newkey` (XEP-0124 §15).
    package var newkey: PeerText?
    /// `stream` (XEP-0124 §16).
    package var stream: PeerText?

    /// The hexadecimal SHA-1 of `key`, made by the caller; nil without a key.
    package var keyDigest: PeerText?
    /// Random bits, drawn by the caller, for the name of a stream that this request may open.
    package var freshStreamName = StreamName(bits: 0)

    /// A value without any attribute.
    package init() {}
}

extension UInt8 {
    fileprivate var isXMLSpace: Bool {
        self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D
    }
}
