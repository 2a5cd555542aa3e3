import StreamCore

/// Reads in `<stream:features/>` what concerns this program's own connection to the server, and finds what the client
/// must not get as it came.
///
/// The filter removes what this program handles itself (`X-06`): STARTTLS and compression. It removes tokens that are
/// bound to a channel, because the client's channel is another one, and EXTERNAL, which would let a client log in as
/// this program. Other mechanisms and the channel bindings stay, because a client may check both (XEP-0474). It lowers
/// the server's largest element to the largest that a client can send through this program (XEP-0478 §3, `X-17`).
/// Depths count the stream as 1 and the features as 2.
struct FeaturesFilter {
    /// A part of the features that is replaced or removed.
    struct Edit: Equatable {
        /// The part's place.
        let range: Range<Int>
        /// The text that the client gets instead.
        var replacement: [UInt8] = []
    }

    /// What the features offer to this program itself.
    private(set) var offer = FeaturesOffer()
    /// The changes for the client, in the order of the bytes; no two overlap.
    private(set) var edits: [Edit] = []

    /// The current feature, if this program needs it.
    private enum Section {
        case none, startTLS, compression, limits
        /// A list of mechanisms, with its namespace.
        case mechanisms(InternedName)
    }

    /// An element inside a feature whose text is needed.
    private struct Leaf {
        enum Kind {
            case mechanism, tokenMechanism, method, maxBytes, idleSeconds
        }

        let kind: Kind
        let depth: Int
        /// The element's `<`, and one past the `>` of its start tag.
        let start: Int
        let contentStart: Int
        /// The text so far, without that of elements inside it.
        var text: [UInt8] = []
    }

    private let largestFromClient: Int
    private var section = Section.none
    private var leaf: Leaf?
    /// The depth of `<fast/>` in the current feature; 0 outside it.
    private var fastDepth = 0
    /// The start and the depth of the element that is being removed.
    private var cut: (start: Int, depth: Int)?

    /// A filter before the features' content. `largestFromClient`: the most bytes of one element that a client can
    /// send.
    init(largestFromClient: Int) {
        self.largestFromClient = max(largestFromClient, 0)
    }

    /// Handles the start of an element inside the features; `start` is its `<`, `tagEnd` one past the `>` of its start
    /// tag.
    mutating func opened(
        _ local: InternedName, _ uri: InternedName, depth: Int, start: Int, tagEnd: Int, names: StreamNames
    ) {
        if depth == 3 {
            open(local, uri, names)
            switch section {
            case .startTLS, .compression: cut = (start, depth)
            case .none, .limits, .mechanisms: break
            }
        }
        guard leaf == nil else { return }
        if case .mechanisms = section, fastDepth == 0, local == names.fast, uri == names.fastTokens {
            fastDepth = depth
        } else if fastDepth > 0, depth == fastDepth + 1, local == names.mechanism, uri == names.fastTokens {
            leaf = Leaf(kind: .tokenMechanism, depth: depth, start: start, contentStart: tagEnd)
        } else if depth == 4, let kind = leafKind(local, uri, names) {
            leaf = Leaf(kind: kind, depth: depth, start: start, contentStart: tagEnd)
        }
    }

    /// Handles the start of a feature.
    private mutating func open(_ local: InternedName, _ uri: InternedName, _ names: StreamNames) {
        if local == names.startTLS, uri == names.tls {
            section = .startTLS
            if offer.startTLS == .absent { offer.startTLS = .offered }
        } else if local == names.compression, uri == names.compressFeature {
            section = .compression
        } else if (local == names.mechanisms && uri == names.sasl)
            || (local == names.authentication && uri == names.sasl2)
        {
            section = .mechanisms(uri)
            offer.offersSASL = true
        } else if local == names.limits, uri == names.streamLimits {
            section = .limits
        } else {
            section = .none
        }
    }

    /// The kind of text in an element directly inside a feature; nil when the text is not needed.
    private mutating func leafKind(_ local: InternedName, _ uri: InternedName, _ names: StreamNames) -> Leaf.Kind? {
        switch section {
        case .startTLS:
            if local == names.required, uri == names.tls { offer.startTLS = .required }
        case .compression:
            if local == names.method, uri == names.compressFeature { return .method }
        case .mechanisms(let list):
            if local == names.mechanism, uri == list { return .mechanism }
        case .limits:
            if local == names.maxBytes, uri == names.streamLimits { return .maxBytes }
            if local == names.idleSeconds, uri == names.streamLimits { return .idleSeconds }
        case .none: break
        }
        return nil
    }

    /// Handles text inside the features, in the element at `depth`.
    mutating func read(_ text: UnsafeBufferPointer<UInt8>, depth: Int) {
        if depth == leaf?.depth { unsafe leaf?.text.append(contentsOf: text) }
    }

    /// Handles the end of an element inside the features: `endTag` is the `<` of its end tag, `end` one past its `>`.
    mutating func closed(depth: Int, endTag: Int, end: Int) {
        if let leaf, leaf.depth == depth {
            close(leaf, endTag: endTag, end: end)
            self.leaf = nil
        }
        if depth == fastDepth { fastDepth = 0 }
        if let cut, cut.depth == depth {
            edits.append(Edit(range: cut.start..<end))
            self.cut = nil
        }
        if depth == 3 { section = .none }
    }

    private mutating func close(_ leaf: Leaf, endTag: Int, end: Int) {
        switch leaf.kind {
        case .mechanism:
            if SASLMechanism.isExternal(leaf.text) { replace(leaf.start..<end, by: []) }
        case .tokenMechanism:
            if SASLMechanism.bindsTokenToChannel(leaf.text) { replace(leaf.start..<end, by: []) }
        case .method:
            // Method names have one spelling (XEP-0138 §7).
            if leaf.text.trimmingXMLSpace.elementsEqual("zlib".utf8) { offer.offersZlib = true }
        case .maxBytes:
            // A value that is not a number cannot be lowered; the client gets it as it came.
            guard let most = Self.number(leaf.text), most > largestFromClient, leaf.contentStart <= endTag else {
                return
            }
            replace(leaf.contentStart..<endTag, by: Array(String(largestFromClient).utf8))
        case .idleSeconds:
            guard let seconds = Self.number(leaf.text), seconds > 0 else { return }
            offer.idleSeconds = min(offer.idleSeconds ?? .max, UInt32(clamping: seconds))
        }
    }

    /// Replaces `range` by `replacement`, instead of earlier edits inside it. The element of `range` has just ended.
    private mutating func replace(_ range: Range<Int>, by replacement: [UInt8]) {
        edits.removeAll { $0.range.lowerBound >= range.lowerBound }
        edits.append(Edit(range: range, replacement: replacement))
    }

    /// Reads digits with white space around them, saturating; nil for anything else.
    private static func number(_ text: [UInt8]) -> Int? {
        let digits = text.trimmingXMLSpace
        guard !digits.isEmpty else { return nil }
        var number = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = tens.addingReportingOverflow(Int(digit))
            // It stays there: ten times the largest number is too large again.
            number = isTooLarge || isStillTooLarge ? .max : sum
        }
        return number
    }
}
