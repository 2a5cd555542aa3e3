/// Host names: labels of letters, digits and hyphens, separated by full stops (RFC 1123 §2.1).
package enum HostName {
    /// Whether `name` is a host name. `underscores`: whether `_` counts as a letter, because real zones contain such
    /// names.
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
