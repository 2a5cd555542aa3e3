import Logging

/// A number in a line of the log: a count, a size, a time in seconds, or what is a number by nature.
///
/// The logging API has texts only. What a text looks like may be a peer's choice, so nothing else in a line is ever written as
/// a number (docs/decisions/0049).
public struct LoggedNumber: CustomStringConvertible, Hashable, Sendable {
    /// A value outside of `Int` is brought to its nearest end.
    let value: Int

    /// A number of the program's own.
    @usableFromInline init(_ value: Int) {
        self.value = value
    }

    public var description: String { String(value) }
}

extension Logger.MetadataValue {
    /// A whole number, which JSON writes without quotes.
    @inlinable
    public static func number(_ value: some BinaryInteger) -> Self {
        .stringConvertible(LoggedNumber(Int(clamping: value)))
    }

    /// The whole seconds of a time; what is left is cut off.
    package static func wholeSeconds(_ time: Duration) -> Self { .number(time.components.seconds) }

    /// The number that this is; nil for any other value.
    var loggedNumber: LoggedNumber? {
        if case .stringConvertible(let value) = self { return value as? LoggedNumber }
        return nil
    }
}
