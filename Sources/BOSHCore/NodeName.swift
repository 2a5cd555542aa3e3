import Primitives

/// The name of a machine as it stands in each `sid`: 1 to 15 of `a-z0-9`.
///
/// A balancer in front of several machines finds the owner of a session by it. The name is kept as two numbers, because every
/// request names a session and a text would have to be made and compared for each.
package struct NodeName: Sendable, Hashable {
    /// The first eight bytes of the name and the others, the first byte highest. What a name does not have is zero.
    private var head: UInt64 = 0
    private var tail: UInt64 = 0

    /// The most bytes of a name.
    package static let longest = 15

    /// Reads a name; nil for any other text.
    package init?(_ text: String) { self.init(text.utf8.span) }

    /// Reads a name; nil for any other bytes.
    package init?(_ text: Span<UInt8>) {
        guard (1...Self.longest).contains(text.count) else { return nil }
        for index in text.indices {
            guard Self.isAllowed(text[index]) else { return nil }
            set(text[index], at: index)
        }
    }

    /// Makes a name of a host's name: of its first label what may stand in a name, in lower case. Of a longer one the end
    /// is kept, because machines of one site mostly differ there. `n1` when nothing is left. What is a name already stays as
    /// it is.
    package init(ofHost host: String) {
        let label = host.utf8.prefix { $0 != UInt8(ascii: ".") }
        let kept = label.map { $0.asciiLowercased }.filter { Self.isAllowed($0) }.suffix(Self.longest)
        for (index, byte) in (kept.isEmpty ? ArraySlice("n1".utf8) : kept).enumerated() {
            set(byte, at: index)
        }
    }

    /// The name.
    package var text: String {
        var bytes: [UInt8] = []
        for half in [head, tail] {
            for place in 0..<8 {
                let byte = UInt8(truncatingIfNeeded: half >> Self.shift(of: place))
                if byte != 0 { bytes.append(byte) }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func set(_ byte: UInt8, at index: Int) {
        let bits = UInt64(byte) << Self.shift(of: index & 7)
        if index < 8 { head |= bits } else { tail |= bits }
    }

    private static func shift(of place: Int) -> UInt64 { UInt64(56 &- 8 &* place) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte.isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}

extension NodeName: CustomStringConvertible {
    /// The name, for what is made of several parts.
    package var description: String { text }
}
