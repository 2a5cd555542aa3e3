import HTTPWire
import Logging
import Reactor

/// Writes log lines: one line for each event, `TIME level event key=value …`.
///
/// Everything that a peer may have written is escaped, so that nobody can forge a line. The full `sid` is never logged,
/// because it is all that an attacker needs to take over a session.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata = Logger.Metadata()
    private let stream: LogStream

    /// Creates a handler that writes lines of `level` and above to `stream`, and drops lines that find no room there.
    package init(level: Logger.Level, stream: LogStream) {
        logLevel = level
        self.stream = stream
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = Self.time(milliseconds: WallClock.milliseconds)
        line += " \(event.level.rawValue) \(Self.escaped(event.message.description))"
        let fields = event.metadata.map { metadata.merging($0) { _, new in new } } ?? metadata
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            let text = Self.bounded(value.description)
            let isPlain =
                !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D }
            line += isPlain ? " \(key)=\(text)" : " \(key)=\"\(Self.escaped(text))\""
        }
        stream.writeLine(line)
    }

    /// The time as in RFC 3339: UTC, with milliseconds.
    static func time(milliseconds: Int64) -> String {
        let date = CivilDay(daysSince1970: Int(milliseconds / 86_400_000))
        let rest = milliseconds % 86_400_000
        return "\(date.year)-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))T"
            + "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1_000 % 60, 2))."
            + "\(padded(rest % 1_000, 3))Z"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Limits the length of a field, whatever a peer wrote. The text is cut by bytes, at the end of a character.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > longestValue else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: longestValue)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end]) + "..."
    }

    /// How many bytes of a value are written. Operators need nothing longer, except lists of names.
    static let longestValue = 1_024

    /// The text with control characters, quotes and backslashes as escapes; everything else is unchanged.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
                || scalar.value == 0x2029:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
