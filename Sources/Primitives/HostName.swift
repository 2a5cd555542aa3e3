/// Names of hosts: labels of letters, digits and hyphens with full stops between (RFC 1123 §2.1).
package enum HostName {
    /// Whether `name` is one. `underscores`: whether `_` counts as a letter, as it does in names that real zones have.
    @inlinable public static func isValid(_ name: some BidirectionalCollection<UInt8>, underscores: Bool = false)
        -> Bool
    {
        guard name.count <= 253 else { return false }
        return name.split(separator: dot, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                && label.allSatisfy {
                    $0.isASCIILetter || $0.isASCIIDigit || $0 == hyphen || (underscores && $0 == UInt8(ascii: "_"))
                }
        }
    }

    @inlinable static var dot: UInt8 { UInt8(ascii: ".") }
    @inlinable static var hyphen: UInt8 { UInt8(ascii: "-") }
}
