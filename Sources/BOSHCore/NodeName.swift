import Primitives

/// The name of a machine as it stands in each `sid`: 1 to 15 of `a-z0-9`.
///
/// A balancer in front of several machines finds the owner of a session by it.
package struct NodeName: Sendable, Hashable {
    /// The name.
    package let text: String

    /// The most bytes of a name. A Swift string stores fifteen bytes without an allocation.
    package static let longest = 15

    /// Reads a name; nil for any other text.
    package init?(_ text: String) {
        guard (1...Self.longest).contains(text.utf8.count), text.utf8.allSatisfy({ Self.isAllowed($0) }) else {
            return nil
        }
        self.text = text
    }

    /// Makes a name of a host's name: of its first label what may stand in a name, in lower case. Of a longer one the end
    /// is kept, because machines of one site mostly differ there. `n1` when nothing is left.
    package init(ofHost host: String) {
        let label = host.utf8.prefix { $0 != UInt8(ascii: ".") }
        let kept = label.map { $0.asciiLowercased }.filter { Self.isAllowed($0) }.suffix(Self.longest)
        text = kept.isEmpty ? "n1" : String(decoding: kept, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte.isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
