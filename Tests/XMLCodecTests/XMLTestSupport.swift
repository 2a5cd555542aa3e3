import BOSHCore

@testable import XMLCodec

/// A body with `attributes` and `content`, unprefixed.
func body(_ attributes: String = "rid='1'", _ content: String = "") -> String {
    "<body xmlns='http://jabber.org/protocol/httpbind' \(attributes)>\(content)</body>"
}

extension BodyParser {
    func parse(_ text: String) -> BodyParse { parse(Array(text.utf8).span) }

    /// The forwarded children as text, or nil when the body was refused.
    func payload(_ text: String) -> String? {
        guard case .body(_, let payload, _) = parse(text) else { return nil }
        return String(decoding: payload, as: UTF8.self)
    }

    func attributes(_ text: String) -> BodyAttributes? {
        guard case .body(let attributes, _, _) = parse(text) else { return nil }
        return attributes
    }

    func fault(_ bytes: [UInt8]) -> BodyFault? {
        guard case .refused(let fault, _) = parse(bytes.span) else { return nil }
        return fault
    }

    func fault(_ text: String) -> BodyFault? { fault(Array(text.utf8)) }
}

/// A generator whose seed a failing test prints, so that its run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
