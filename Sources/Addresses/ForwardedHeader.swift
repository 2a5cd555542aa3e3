import Primitives

/// The request field in which a proxy names the client. The configuration chooses one, and the others are ignored: a
/// proxy sets the field it knows and passes on the other with whatever the client wrote.
package enum ForwardedHeader: String, Sendable, Equatable, CaseIterable {
    /// No field: the peer is the client.
    case none
    /// `X-Forwarded-For: 203.0.113.7, 10.0.0.2`
    case xForwardedFor = "x-forwarded-for"
    /// `Forwarded: for="[2001:db8::7]:4711";proto=https, for=10.0.0.2` (RFC 7239)
    case forwarded
    /// `X-Real-IP: 203.0.113.7`, one address, which a proxy writes in place of whatever came.
    case xRealIP = "x-real-ip"
}

/// The hops of a forwarding field, the last one first.
///
/// Each proxy appends the address of its own peer, so only the end of the list is written by known proxies. The list is
/// therefore parsed from its end: nothing that a client puts in front, not even an opened quotation mark, changes how
/// the end is read.
struct ForwardedHops: Sendable {
    /// What one proxy says of the connection that it received.
    struct Hop: Sendable, Equatable {
        /// The other end, mapped IPv4 as IPv4; nil when the element has no usable address.
        var address: IPAddress?
        /// Its scheme, which only `Forwarded` says.
        var scheme = ClientScheme.unknown
    }

    private let header: ForwardedHeader
    /// Where the part that has not been read ends.
    private var end: Int

    /// `count` is the length of the field's value: all its lines, joined by commas.
    init(_ header: ForwardedHeader, count: Int) {
        self.header = header
        end = header == .none ? 0 : count
    }

    /// The next hop; nil when there is none. Empty elements are skipped (RFC 9110 §5.6.1.2).
    mutating func next(in value: Span<UInt8>) -> Hop? {
        while end > 0, end <= value.count {
            let start = elementStart(value)
            let element = value.trimmed(start..<end)
            end = max(start - 1, 0)
            guard element.isEmpty else { return hop(value, element) }
        }
        return nil
    }

    private func hop(_ value: Span<UInt8>, _ element: Range<Int>) -> Hop {
        guard header == .forwarded else {
            return Hop(address: Self.address(value.extracting(element))?.unmapped)
        }
        guard let said = Self.parameters(value, element) else { return Hop() }
        return Hop(
            address: said.node.flatMap { Self.address(value.extracting($0)) }?.unmapped,
            scheme: said.proto.map { ClientScheme(value.extracting($0)) } ?? .unknown)
    }

    /// The beginning of the element that ends at `end`: after a comma outside quotation marks. `X-Real-IP` is no list, so a
    /// value with a comma is one element that is no address.
    private func elementStart(_ value: Span<UInt8>) -> Int {
        if header == .xRealIP { return 0 }
        var start = end
        var isQuoted = false
        while start > 0 {
            let byte = value[start - 1]
            if byte == Ascii.comma, !isQuoted { break }
            start -= 1
            guard byte == Ascii.quote, header == .forwarded else { continue }
            if !isQuoted {
                isQuoted = true
            } else if !Self.isEscaped(value, start) {
                isQuoted = false
            }
        }
        return start
    }

    /// Whether an odd number of backslashes stands before `index`.
    private static func isEscaped(_ value: Span<UInt8>, _ index: Int) -> Bool {
        var start = index
        while start > 0, value[start - 1] == Ascii.backslash { start -= 1 }
        return (index - start) % 2 == 1
    }

    // MARK: Forwarded

    /// The values of the parameters `for` and `proto` of a `forwarded-element` (RFC 7239 §4), without quotation marks. Nil
    /// when there are several of one, or when the element is not well-formed. A value may lack the quotation marks that
    /// the grammar asks for where this reader can do without: `for=192.0.2.1:80` is common.
    private static func parameters(
        _ value: Span<UInt8>, _ element: Range<Int>
    ) -> (node: Range<Int>?, proto: Range<Int>?)? {
        var node: Range<Int>?
        var proto: Range<Int>?
        var index = element.lowerBound
        while index < element.upperBound {
            let byte = value[index]
            if byte == Ascii.semicolon || byte == Ascii.space || byte == Ascii.tab {
                index += 1
                continue
            }
            guard let name = token(value, &index, element.upperBound), index < element.upperBound,
                value[index] == Ascii.equals
            else { return nil }
            index += 1
            guard let content = parameterValue(value, &index, element.upperBound) else { return nil }
            // Only a semicolon separates parameters.
            let rest = value.trimmed(index..<element.upperBound)
            guard rest.isEmpty || value[rest.lowerBound] == Ascii.semicolon else { return nil }
            let word = value.extracting(name)
            if word.isWord("for") {
                guard node == nil else { return nil }
                node = content
            } else if word.isWord("proto") {
                guard proto == nil else { return nil }
                proto = content
            }
        }
        return (node, proto)
    }

    private static func parameterValue(_ value: Span<UInt8>, _ index: inout Int, _ end: Int) -> Range<Int>? {
        guard index < end, value[index] == Ascii.quote else { return token(value, &index, end) }
        let start = index + 1
        index = start
        while index < end, value[index] != Ascii.quote {
            index += value[index] == Ascii.backslash ? 2 : 1
        }
        guard index < end else { return nil }
        index += 1
        return start..<index - 1
    }

    /// Visible bytes up to a delimiter.
    private static func token(_ value: Span<UInt8>, _ index: inout Int, _ end: Int) -> Range<Int>? {
        let start = index
        while index < end, value[index] > Ascii.space, value[index] < 0x7F, value[index] != Ascii.quote,
            value[index] != Ascii.semicolon, value[index] != Ascii.equals
        {
            index += 1
        }
        return index > start ? start..<index : nil
    }

    // MARK: Addresses

    /// An address with or without a port (RFC 7239 §6): IPv6 in brackets, or bare when there is no port. Nil for
    /// anything else, including `unknown` and `_hidden`: nobody can tell what is behind such a hop.
    private static func address(_ node: Span<UInt8>) -> IPAddress? {
        if let address = IPAddress(node) { return address }
        var colon = node.count
        while colon > 0, node[colon - 1] != Ascii.colon { colon -= 1 }
        if node.count > 2, node[0] == Ascii.openBracket {
            let close = node[node.count - 1] == Ascii.closeBracket ? node.count - 1 : colon - 2
            guard close > 1, node[close] == Ascii.closeBracket,
                close == node.count - 1 || isPort(node.extracting(colon..<node.count)),
                case .v6(let number) = IPAddress(node.extracting(1..<close))
            else { return nil }
            return .v6(number)
        }
        guard colon > 1, isPort(node.extracting(colon..<node.count)),
            case .v4(let number) = IPAddress(node.extracting(0..<colon - 1))
        else { return nil }
        return .v4(number)
    }

    /// `node-port`: a number, or `_` and letters, digits, `.`, `_`, `-`.
    private static func isPort(_ text: Span<UInt8>) -> Bool {
        guard text.count > 1, text[0] == Ascii.underscore else { return Decimal.port(text) != nil }
        for index in text.indices {
            let byte = text[index]
            guard
                byte.isASCIILetter || byte.isASCIIDigit || byte == Ascii.dot || byte == Ascii.underscore
                    || byte == 0x2D
            else { return false }
        }
        return true
    }
}
