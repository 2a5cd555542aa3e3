/// A domain name as DNS, TLS and a certificate's dNSName use it: ASCII, lower case, no final dot.
///
/// An XMPP domain may have U-labels (RFC 7622 §3.2), but DNS names and SNI have A-labels (RFC 5890 §2.3.2.1). So each
/// label with a character outside ASCII is lower-cased and encoded with Punycode. No other mapping is done: a
/// configured domain is expected in normalisation form C, and `ß` and `ς` stay unchanged (RFC 5894 §7.2).
package struct DomainName: Sendable, Hashable {
    /// The name, for instance `xn--bcher-kva.example`: 1 to 253 bytes, each label 1 to 63 (RFC 1035 §2.3.4).
    package let text: String

    /// `nil` when the name or a label is empty or too long, or has a space, a control or formatting character, or a dot
    /// that separates no labels in a domain name (RFC 5895 §2 maps such dots; configured names do not need that).
    package init?(_ name: some StringProtocol) {
        // Twice as many bytes as any DNS name has, even with letters outside ASCII. The work below grows faster than
        // the bytes.
        guard name.utf8.count <= 1_023 else { return nil }
        var labels = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
        var encoded: [String] = []
        for label in labels {
            guard !label.isEmpty, label.unicodeScalars.allSatisfy(Self.mayStand) else { return nil }
            if label.utf8.allSatisfy({ $0 < 0x80 }) {
                encoded.append(String(label))
            } else if let punycode = Punycode.encode(label.unicodeScalars.map(\.value)) {
                encoded.append("xn--" + punycode)
            } else {
                return nil
            }
        }
        guard encoded.allSatisfy({ $0.utf8.count <= 63 }) else { return nil }
        let text = encoded.joined(separator: ".")
        guard text.utf8.count <= 253 else { return nil }
        self.text = text
    }

    private static func mayStand(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value > 0x20 && scalar.value != 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate: return false
        // The zero width joiner and non-joiner are letters of some scripts (RFC 5892 appendix A).
        case .format: return scalar.value == 0x200C || scalar.value == 0x200D
        default: return ![0x3002, 0xFF0E, 0xFF61].contains(scalar.value)
        }
    }
}

/// The encoder of RFC 3492. No decoder is needed, because names are compared in their encoded form.
enum Punycode {
    /// The ASCII form of one label, without `xn--`. `nil` when a count would overflow.
    static func encode(_ scalars: [UInt32]) -> String? {
        let basic = scalars.filter { $0 < initialCode }
        var output = basic.map { UInt8(truncatingIfNeeded: $0) }
        var handled = UInt32(basic.count)
        if handled > 0 { output.append(UInt8(ascii: "-")) }
        var code = initialCode
        var delta: UInt32 = 0
        var bias = initialBias
        while handled < scalars.count {
            guard let next = scalars.lazy.filter({ $0 >= code }).min() else { return nil }
            let (steps, overflowed) = (next - code).multipliedReportingOverflow(by: handled + 1)
            let (sum, overflowedSum) = delta.addingReportingOverflow(steps)
            guard !overflowed, !overflowedSum else { return nil }
            delta = sum
            code = next
            for scalar in scalars {
                if scalar < code {
                    guard delta < .max else { return nil }
                    delta += 1
                }
                guard scalar == code else { continue }
                appendVariableLength(delta, bias: bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basic.count)
                delta = 0
                handled += 1
            }
            guard delta < .max else { return nil }
            delta += 1
            code += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func appendVariableLength(_ delta: UInt32, bias: UInt32, to output: inout [UInt8]) {
        var rest = delta
        var position = base
        while true {
            let threshold = position <= bias ? minimum : min(position - bias, maximum)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            position += base
        }
        output.append(digit(rest))
    }

    private static func adapted(_ delta: UInt32, count: UInt32, isFirst: Bool) -> UInt32 {
        var rest = isFirst ? delta / damp : delta / 2
        rest += rest / count
        var position: UInt32 = 0
        while rest > ((base - minimum) * maximum) / 2 {
            rest /= base - minimum
            position += base
        }
        return position + (base - minimum + 1) * rest / (rest + skew)
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        let byte = UInt8(truncatingIfNeeded: value)
        return byte < 26 ? byte + UInt8(ascii: "a") : byte - 26 + UInt8(ascii: "0")
    }

    private static let base: UInt32 = 36
    private static let minimum: UInt32 = 1
    private static let maximum: UInt32 = 26
    private static let skew: UInt32 = 38
    private static let damp: UInt32 = 700
    private static let initialBias: UInt32 = 72
    private static let initialCode: UInt32 = 128
}
