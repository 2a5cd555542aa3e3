import Primitives

/// The `sid`: `<node>.<worker>.<128 random bits in hex>`.
///
/// Node and worker are hints for a balancer or another worker to find the owner. Only the random part is a secret, and
/// only it is looked up. Specification: XEP-0124 §7.2, §19.3 (`S-02`).
package struct SessionID: Sendable, Hashable {
    /// The node's name.
    package let node: NodeName
    /// The upper half of the random part.
    package let high: UInt64
    /// The lower half of the random part.
    package let low: UInt64
    /// The owning worker's tag, never reused while the node runs. Last, so that the layout has no gap.
    package let worker: UInt32

    /// An identifier made of its parts; the random halves come from the kernel.
    package init(node: NodeName, worker: UInt32, high: UInt64, low: UInt64) {
        self.node = node
        self.worker = worker
        self.high = high
        self.low = low
    }

    /// Reads an identifier as a client sends it; nil for a text that this type never writes.
    package init?(parsing text: Span<UInt8>) {
        guard let firstDot = text.firstDot(from: 0), let node = NodeName(text.extracting(first: firstDot)) else {
            return nil
        }
        guard let secondDot = text.firstDot(from: firstDot + 1) else { return nil }
        let tagLength = secondDot - firstDot - 1
        guard (1...10).contains(tagLength), text.count == secondDot + 33 else { return nil }
        // Numbers are written without leading zeros, so a session has one name only.
        guard tagLength == 1 || text[firstDot + 1] != UInt8(ascii: "0") else { return nil }
        var tag: UInt64 = 0
        for index in (firstDot + 1)..<secondDot {
            guard text[index].isASCIIDigit else { return nil }
            tag = tag * 10 + UInt64(text[index] - UInt8(ascii: "0"))
        }
        guard let worker = UInt32(exactly: tag) else { return nil }
        let random = text.extracting(droppingFirst: secondDot + 1)
        guard let high = UInt64(sixteenDigits: random.extracting(first: 16)),
            let low = UInt64(sixteenDigits: random.extracting(last: 16))
        else { return nil }
        self.node = node
        self.worker = worker
        self.high = high
        self.low = low
    }

    /// The value of the `sid` attribute.
    package var text: String {
        "\(node).\(worker).\(high.sixteenDigits)\(low.sixteenDigits)"
    }

    /// The first eight digits of the random part: enough to follow a session in a log, not enough to take it over.
    package var short: String {
        String(high.sixteenDigits.prefix(8))
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
}
