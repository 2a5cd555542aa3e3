/// A place in a text. Line and column count from 1, the column in characters (code points).
package struct TOMLPosition: Equatable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: TOMLPosition, right: TOMLPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A value with its place.
package struct TOMLValue: Equatable, Sendable {
    /// What it is.
    package let content: TOMLContent
    /// Its first character. For a table with a header this is the header's bracket.
    package let begin: TOMLPosition
    /// The place behind its last character; of no use for a table with a header.
    package let end: TOMLPosition
}

/// What a value is. Only the content of types that settings have is kept.
package enum TOMLContent: Equatable, Sendable {
    /// The members in the order of their places.
    case table([TOMLMember])
    case array([TOMLValue])
    case string(String)
    case integer(Int)
    case boolean(Bool)
    /// A number with a fraction or an exponent, infinity, or no number.
    case float
    case date
    case time
    case dateTime
}

/// A key with its value.
package struct TOMLMember: Equatable, Sendable {
    /// One part of a dotted key, without quotes and escapes.
    package let key: String
    /// The key's first character or quote, where it is mentioned first.
    package let position: TOMLPosition
    package let value: TOMLValue
}

/// Why a text is no TOML.
package struct TOMLSyntaxError: Error, Equatable, Sendable {
    /// Where the parser found out, which can be behind the fault.
    package let position: TOMLPosition
    /// The parser's words, in one line.
    package let reason: String
}
