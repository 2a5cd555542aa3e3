import Addresses

/// Which sessions an operator wants to see: the query of `/sessions`.
struct SessionFilter: Equatable {
    /// Whether living sessions are wanted, or those that have ended last.
    enum State: String, CaseIterable {
        case live, ended, all
    }

    var state = State.live
    /// The first characters of the session's name in the log.
    var name = ""
    var domain: String?
    var client: IPNetwork?
    var side: SessionPlace.Side?
    var server: String?
    /// A bare JID, or the part of it before the `@`.
    var user: String?
    var reason: String?
    /// How many sessions are shown at most.
    var limit = 100

    /// Nothing but living sessions, and not too many of them.
    init() {}

    /// Reads the query of a request: `name=value` parts, joined by `&`.
    ///
    /// - Throws: `Fault`, which names the part and what is allowed.
    init(query: String?) throws(Fault) {
        for part in (query ?? "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard part.utf8.count <= Self.longestPart else {
                throw Fault("a part of the query is longer than \(Self.longestPart) bytes")
            }
            guard let value = Self.decoded(pair.count == 2 ? pair[1] : "") else {
                throw Fault("'\(part)' is not percent-encoded UTF-8")
            }
            try set(String(pair[0]), to: value)
        }
    }

    private mutating func set(_ name: String, to value: String) throws(Fault) {
        switch name {
        case "sid8":
            guard value.count <= 8, value.utf8.allSatisfy(Self.isHexadecimal) else {
                throw Fault("sid8: '\(value)' is not the beginning of a session's name: up to 8 hexadecimal digits")
            }
            self.name = value.lowercased()
        case "domain": domain = value.lowercased()
        case "client":
            guard let range = IPNetwork(value) else {
                throw Fault("client: '\(value)' is not an IP address or a network such as 192.0.2.0/24")
            }
            client = range
        case "over": side = try Self.choice(value, of: SessionPlace.Side.allCases, \.word, name)
        case "state": state = try Self.choice(value, of: State.allCases, \.rawValue, name)
        case "server": server = value
        case "user": user = value.lowercased()
        case "reason": reason = value
        case "limit":
            guard let number = Int(value), (1...Self.mostShown).contains(number) else {
                throw Fault("limit: '\(value)' is not a number from 1 to \(Self.mostShown)")
            }
            limit = number
        default:
            throw Fault(
                "'\(name)' is not among client, domain, limit, over, reason, server, sid8, state and user")
        }
    }

    private static func choice<Choice>(
        _ value: String, of all: [Choice], _ word: (Choice) -> String, _ name: String
    ) throws(Fault) -> Choice {
        if let choice = all.first(where: { word($0) == value }) { return choice }
        throw Fault("\(name): '\(value)' is not among \(all.map(word).joined(separator: ", "))")
    }

    /// A value without its percent-encoding; nil for one that is not well formed.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst(), let low = rest.popFirst(), isHexadecimal(high), isHexadecimal(low),
                    let value = UInt8("\(Unicode.Scalar(high))\(Unicode.Scalar(low))", radix: 16)
                else { return nil }
                bytes.append(value)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    /// Whether a session is wanted. A living one has no reason.
    func matches(
        name: String, side: SessionPlace.Side, client: IPAddress?, domain: String?, server: String?,
        user: String? = nil, reason: String?
    ) -> Bool {
        guard name.hasPrefix(self.name), self.side == nil || self.side == side else { return false }
        if let wanted = self.domain, wanted != domain { return false }
        if let wanted = self.server, wanted != server { return false }
        if let wanted = self.user {
            guard let user = user?.lowercased() else { return false }
            guard wanted == user || !wanted.contains("@") && user.hasPrefix(wanted + "@") else { return false }
        }
        if let wanted = self.reason, wanted != reason { return false }
        guard let range = self.client else { return true }
        return client.map(range.contains) ?? false
    }

    /// What is wrong with a query.
    struct Fault: Error, Equatable {
        let line: String

        init(_ line: String) {
            self.line = line
        }
    }

    /// The longest part of a query in bytes: more than a name of the DNS with its encoding.
    private static let longestPart = 1_024

    /// How many sessions one answer shows at most.
    static let mostShown = 1_000
}
