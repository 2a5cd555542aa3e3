/// The `sid`: `<node>.<worker>.<128 random bits in hex>`.
///
/// Node and worker are hints for a balancer or another worker to find the owner. Only the random part is a secret, and
/// only it is looked up. Specification: XEP-0124 §7.2, §19.3 (`S-02`).
package struct SessionID: Sendable, Hashable {
    /// The node's name: 1 to 15 of `a-z0-9`. A Swift string stores fifteen bytes without an allocation.
    package let node: String
    /// The upper half of the random part.
    package let high: UInt64
    /// The lower half of the random part.
    package let low: UInt64
    /// The owning worker's tag, never reused while the node runs. Last, so that the layout has no gap.
    package let worker: UInt32

    /// An identifier made of its parts; the random halves come from the kernel.
    package init(node: String, worker: UInt32, high: UInt64, low: UInt64) {
        self.node = node
        self.worker = worker
        self.high = high
        self.low = low
    }

    /// Reads an identifier as a client sends it; nil for a text that this type never writes.
    package init?(parsing text: Span<UInt8>) {
        guard let firstDot = text.firstDot(from: 0), (1...15).contains(firstDot) else { return nil }
        guard let secondDot = text.firstDot(from: firstDot + 1) else { return nil }
        let tagLength = secondDot - firstDot - 1
        guard (1...10).contains(tagLength), text.count == secondDot + 33 else { return nil }
        // Numbers are written without leading zeros, so a session has one name only.
        guard tagLength == 1 || text[firstDot + 1] != UInt8(ascii: "0") else { return nil }
        // A String stores at most fifteen bytes inside itself, so this does not allocate.
        var node = ""
        for index in 0..<firstDot {
            switch text[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                node.unicodeScalars.append(Unicode.Scalar(text[index]))
            default: return nil
            }
        }
        var tag: UInt64 = 0
        for index in (firstDot + 1)..<secondDot {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) else { return nil }
            tag = tag * 10 + UInt64(text[index] - UInt8(ascii: "0"))
        }
        guard let worker = UInt32(exactly: tag) else { return nil }
        guard let high = text.hexadecimal(from: secondDot + 1), let low = text.hexadecimal(from: secondDot + 17) else {
            return nil
        }
        self.node = node
        self.worker = worker
        self.high = high
        self.low = low
    }

    /// The value of the `sid` attribute.
    package var text: String {
        "\(node).\(worker).\(Self.hexadecimal(high))\(Self.hexadecimal(low))"
    }

    /// The first eight digits of the random part: enough to follow a session in a log, not enough to take it over.
    package var short: String {
        String(Self.hexadecimal(high).prefix(8))
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package static func == (left: SessionID, right: SessionID) -> Bool {
        left.low == right.low && left.high == right.high && left.worker == right.worker && left.node == right.node
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(low)
        hasher.combine(high)
    }
}

extension Span<UInt8> {
    fileprivate func firstDot(from start: Int) -> Int? {
        var index = start
        while index < count {
            if self[index] == UInt8(ascii: ".") { return index }
            index += 1
        }
        return nil
    }

    /// Sixteen lower-case digits; upper case is refused, because this type never writes it.
    fileprivate func hexadecimal(from start: Int) -> UInt64? {
        guard start >= 0, start + 16 <= count else { return nil }
        var value: UInt64 = 0
        for index in start..<(start + 16) {
            let byte = self[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
