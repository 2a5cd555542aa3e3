import BOSHCore
import Bridge
import StreamCore

/// Reads a stream's root with at most one element in it.
final class StanzaReader: ElementReader {
    /// What is being read.
    enum Piece {
        case header
        case element(Range<Int>)
        case end
    }

    private enum Kind {
        case stanza, success, failure, result, error, features, streamError
        case proceed, startTLSFailure, compressed, compressionFailure
    }

    /// The longest host of a redirect that is read: 253 bytes of a name, a port, and room for brackets.
    private static let mostRedirectBytes = 300

    private var names = StreamNames()
    private var piece = Piece.end
    private var kind = Kind.stanza
    /// What the element says about the stream's management so far.
    private var management = StreamManagement.none
    private var condition: String?
    /// The text of `<see-other-host/>` so far, and whether it is being read.
    private var redirect: [UInt8] = []
    private var isInRedirect = false
    /// What the element says about the client's login so far.
    private var login = LoginSign.none
    /// Who the client is, if the element says it.
    var user = UserName()
    /// Whose `to` says it, if no element has.
    var addresseeRule = AddresseeRule.ignored
    private let largestFromClient: Int
    private var filter = FeaturesFilter(largestFromClient: 0)
    private var item: UpstreamItem?
    private var scope: [UInt8] = []
    /// The header that was read last.
    private(set) var header = StreamHeader(from: "", id: "", version: nil)

    init(limits: XMLLimits, largestFromClient: Int) {
        self.largestFromClient = largestFromClient
        super.init(limits: limits)
    }

    func prepare(for piece: Piece) {
        self.piece = piece
        user.begin()
        item = nil
        scope = []
    }

    func takeItem() -> UpstreamItem? {
        defer { item = nil }
        return item
    }

    func takeScope() -> [UInt8] {
        defer { scope = [] }
        return scope
    }

    override func contextCreated(_ intern: (StaticString) -> InternedName) {
        names = StreamNames(intern)
    }

    override func rootOpened(
        local: InternedName, prefix: InternedName, uri: InternedName, attributes: SAXAttributes
    ) -> XMLFault? {
        guard case .header = piece else { return nil }
        guard local == names.stream, uri == names.streams else { return .invalidRoot }
        // The stream's default namespace is either its content's, or that of streams; then each element declares its
        // own (RFC 6120 §4.8.2).
        let isContentKnown = rootScope.contains { declaration in
            declaration.prefix.isNone && (declaration.uri == names.client || declaration.uri == names.streams)
        }
        guard isContentKnown else { return .invalidRoot }
        header = StreamHeader(from: "", id: "", version: nil)
        for index in 0..<attributes.count where attributes.uri(index).isNone {
            if attributes.local(index) == names.from {
                header.from = unsafe AttributeText.decoded(attributes.value(index))
            } else if attributes.local(index) == names.id {
                header.id = unsafe AttributeText.decoded(attributes.value(index))
            } else if attributes.local(index) == names.version {
                header.version = unsafe ProtocolVersion(parsing: attributes.value(index).span).map {
                    ($0.major, $0.minor)
                }
            }
        }
        scope = rootTag(prefix: prefix)
        return scope.count <= limits.declarationBytes ? nil : .limit(.declarationBytes)
    }

    override func childOpened(_ attributes: SAXAttributes) -> XMLFault? {
        guard case .element(let range) = piece, childCount == 1, child.start == range.lowerBound else {
            return .malformed
        }
        kind = .stanza
        login = .none
        management = management(of: child.local, child.uri, attributes)
        if addresseeRule != .ignored, child.uri == names.client { noteAddressee(attributes) }
        if child.uri == names.streams {
            if child.local == names.features {
                kind = .features
                filter = FeaturesFilter(largestFromClient: largestFromClient)
            } else if child.local == names.error {
                kind = .streamError
                condition = nil
                redirect = []
                isInRedirect = false
            } else {
                return .forbiddenElement
            }
            child.isRenamed = child.prefix != names.stream
        } else if child.uri == names.sasl2, child.local == names.success {
            kind = .success
            login = .success
        } else if child.local == names.failure, child.uri == names.sasl || child.uri == names.sasl2 {
            kind = .failure
            login = .failure(.other)
        } else if child.uri == names.tls {
            if child.local == names.proceed {
                kind = .proceed
            } else if child.local == names.failure {
                kind = .startTLSFailure
            } else {
                return .forbiddenElement
            }
        } else if child.uri == names.compressProtocol {
            if child.local == names.compressed {
                kind = .compressed
            } else if child.local == names.failure {
                kind = .compressionFailure
            } else {
                return .forbiddenElement
            }
        } else if child.local == names.success, child.uri == names.sasl {
            login = .success
        } else if child.local == names.iq, child.uri == names.client {
            if Self.has(names.type, "result", attributes) {
                // An empty result, until a child is seen.
                kind = .result
                login = .success
                for index in 0..<attributes.count
                where attributes.uri(index).isNone && attributes.local(index) == names.from {
                    unsafe user.noteSender(attributes.value(index))
                }
            } else if Self.has(names.type, "error", attributes) {
                kind = .error
            }
        }
        return nil
    }

    /// Notes to whom the server delivers a stanza, where the rule says that this is the client.
    private func noteAddressee(_ attributes: SAXAttributes) {
        guard child.local == names.message || child.local == names.presence || child.local == names.iq else { return }
        if addresseeRule == .unlessAnswer {
            let isAnswer =
                Self.has(names.type, "error", attributes)
                || child.local == names.iq && Self.has(names.type, "result", attributes)
            if isAnswer { return }
        }
        for index in 0..<attributes.count
        where attributes.uri(index).isNone && attributes.local(index) == names.to {
            unsafe user.noteAddressee(attributes.value(index))
        }
    }

    /// Whether an element has this attribute with this value.
    private static func has(_ name: InternedName, _ value: String, _ attributes: SAXAttributes) -> Bool {
        (0..<attributes.count).contains { index in
            unsafe attributes.local(index) == name && attributes.uri(index).isNone
                && attributes.value(index).elementsEqual(value.utf8)
        }
    }

    override func descendantOpened(
        local: InternedName, uri: InternedName, attributes: SAXAttributes, tagEnd: Int
    ) {
        switch kind {
        case .result:
            if depth == 3 {
                login = uri == names.register ? .registration : .none
                user.isInside = uri == names.bindProtocol && local == names.bind
            } else if depth == 4, user.isInside, uri == names.bindProtocol, local == names.jid {
                user.isOpen = true
            }
        case .failure:
            // The text of a failure is in the same namespace, and may come first.
            if depth == 3, uri == names.sasl, login == .failure(.other) {
                login = .failure(LoginFailure(condition: local.bytes))
            }
        case .error:
            let isCode = depth == 3 && local == names.error && Self.has(names.code, "401", attributes)
            let isCondition = depth == 4 && local == names.notAuthorized && uri == names.stanzaErrors
            if isCode || isCondition { login = .failure(.notAuthorized) }
        case .features:
            let start = tagStart(before: tagEnd - 1)
            filter.opened(local, uri, depth: depth, start: start, tagEnd: tagEnd, names: names)
        case .streamError:
            if depth == 3, uri == names.streamErrors, local != names.text, condition == nil {
                condition = Self.conditionName(local.bytes)
                isInRedirect = local == names.seeOtherHost
            }
        case .success:
            // A stream may also be resumed, or its management begin, together with the login (XEP-0198 §9, XEP-0386).
            management = max(management, management(of: local, uri, attributes))
            if depth == 3, uri == names.sasl2, local == names.authorization { user.isOpen = true }
        default: return
        }
    }

    /// The condition of a stream error for the rules and the log. A server may write a name of any length in any
    /// letters, so one that cannot be a condition of RFC 6120 becomes `undefined-condition`. The client gets the name
    /// from the element itself.
    private static func conditionName(_ name: [UInt8]) -> String {
        let isName = name.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        return isName && name.count <= longestCondition ? String(decoding: name, as: UTF8.self) : "undefined-condition"
    }

    /// The longest condition in RFC 6120 §4.9.3 has 24 letters.
    private static let longestCondition = 64

    override func textRead(_ text: UnsafeBufferPointer<UInt8>) {
        switch kind {
        case .features: unsafe filter.read(text, depth: depth)
        case .streamError:
            if isInRedirect, depth == 3 { unsafe redirect.append(contentsOf: text) }
        case .result, .success:
            if user.isOpen { unsafe user.append(text) }
        default: return
        }
    }

    override func descendantClosed(at end: Int) {
        switch kind {
        case .features: filter.closed(depth: depth, endTag: tagStart(before: end), end: end)
        case .streamError:
            if depth == 3 { isInRedirect = false }
        case .result, .success:
            user.isOpen = false
            if depth == 3 { user.isInside = false }
        default: return
        }
    }

    override func childClosed() -> XMLFault? {
        guard case .element(let range) = piece, child.end == range.upperBound else { return .malformed }
        switch kind {
        case .proceed: item = .proceed
        case .startTLSFailure: item = .startTLSFailure
        case .compressed: item = .compressed
        case .compressionFailure: item = .compressionFailure
        case .features:
            guard let bytes = elementBytes(with: filter.edits, usesStreamPrefix: true) else {
                return .forbiddenElement
            }
            item = .features(filter.offer, bytes: bytes)
        case .streamError:
            guard let bytes = elementBytes(with: [], usesStreamPrefix: true) else { return .forbiddenElement }
            item = .streamError(condition: condition ?? "undefined-condition", redirect: redirectHost, bytes: bytes)
        case .stanza, .success, .failure, .result, .error:
            guard let bytes = elementBytes(with: [], usesStreamPrefix: false) else { return .forbiddenElement }
            item = .stanza(bytes: bytes, management: management, login: login)
        }
        return nil
    }

    /// What an element says about the stream's management (XEP-0198 §3, §5): `<resumed/>`, or `<enabled/>`, which
    /// promises a resumption only with `resume='true'`.
    private func management(
        of local: InternedName, _ uri: InternedName, _ attributes: SAXAttributes
    ) -> StreamManagement {
        guard local == names.enabled || local == names.resumed, uri.hasPrefix("urn:xmpp:sm:") else { return .none }
        guard local == names.enabled else { return .resumable }
        for index in 0..<attributes.count where attributes.uri(index).isNone {
            guard attributes.local(index) == names.resume else { continue }
            // XML Schema has two spellings of a true Boolean.
            let value = unsafe Array(attributes.value(index)).trimmingXMLSpace
            return value.elementsEqual("true".utf8) || value.elementsEqual("1".utf8) ? .resumable : .counting
        }
        return .counting
    }

    /// The target of `<see-other-host/>` (RFC 6120 §4.9.3.19); nil when it cannot be a host and a port.
    private var redirectHost: String? {
        let host = redirect.trimmingXMLSpace
        guard (1...Self.mostRedirectBytes).contains(host.count), host.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return nil
        }
        return String(decoding: host, as: UTF8.self)
    }

    /// The element with the declarations that it takes from the stream (`N-10`, `X-14`). Features and errors get the
    /// prefix `stream` where the server uses another one, and the response's body declares it (`L-12`).
    ///
    /// Nil when the element gives the prefix `stream` another meaning.
    private func elementBytes(with edits: [FeaturesFilter.Edit], usesStreamPrefix: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(child.end - child.start + 64)
        if usesStreamPrefix, childScope.contains(where: { $0.prefix == names.stream && $0.uri != names.streams }) {
            return nil
        }
        if child.isRenamed {
            bytes.append(literal: "<stream:")
            bytes.append(contentsOf: child.local.bytes)
        } else {
            unsafe bytes.append(contentsOf: slice(child.start..<child.nameEnd))
        }
        for (index, declaration) in rootScope.enumerated() where child.used & (1 << UInt64(index)) != 0 {
            if usesStreamPrefix, declaration.prefix == names.stream {
                guard declaration.uri == names.streams else { return nil }
                continue
            }
            NamespaceDeclaration.append(
                prefix: declaration.prefix.bytes, uri: AttributeText.unescaped(declaration.uri.bytes), into: &bytes)
        }
        var copied = child.nameEnd
        for edit in (usesStreamPrefix ? ownStreamDeclarations : []) + edits {
            unsafe bytes.append(contentsOf: slice(copied..<max(copied, edit.range.lowerBound)))
            bytes.append(contentsOf: edit.replacement)
            copied = max(copied, edit.range.upperBound)
        }
        guard child.isRenamed, child.startTagEnd < child.end else {
            unsafe bytes.append(contentsOf: slice(copied..<max(copied, child.end)))
            return bytes
        }
        let endTag = tagStart(before: child.end)
        unsafe bytes.append(contentsOf: slice(copied..<max(copied, endTag)))
        bytes.append(literal: "</stream:")
        bytes.append(contentsOf: child.local.bytes)
        unsafe bytes.append(contentsOf: slice((endTag + 1 + child.nameEnd - child.start)..<child.end))
        return bytes
    }

    /// The places where the child's start tag declares the prefix `stream` itself, to be removed.
    private var ownStreamDeclarations: [FeaturesFilter.Edit] {
        guard childScope.contains(where: { $0.prefix == names.stream }) else { return [] }
        let tag = unsafe slice(child.start..<child.startTagEnd)
        return unsafe StartTag.declarations(in: tag.span).filter { $0.prefix.elementsEqual("stream".utf8) }.map {
            FeaturesFilter.Edit(
                range: (child.start + $0.whole.lowerBound)..<(child.start + $0.whole.upperBound))
        }
    }
}
