import HTTPWire
import Logging
import Settings

/// One line of the log, which grows field by field and never above `room` bytes.
///
/// Everything in it may have been written by a peer, so whatever could end a line, a quotation or an object is escaped. A
/// value that finds no room is cut and ends with `...`. A field that finds none at all is left out, and `left_out` counts
/// these.
struct LogLine {
    private let style: LineStyle
    private let end: Int
    private var bytes: [UInt8] = []
    private var leftOut = 0

    /// Begins a line.
    ///
    /// - Parameters:
    ///   - part: the part of the program that the line is about. It is named before the event, or as `subsystem` behind it.
    ///   - milliseconds: since 1970-01-01 00:00 UTC.
    ///   - room: the most bytes of the line, 200 or more.
    init(
        _ style: LineStyle, _ level: Logger.Level, _ part: LogSubsystem, _ event: String, milliseconds: Int64, room: Int
    ) {
        self.style = style
        end = room - Self.closing
        bytes.reserveCapacity(256)
        if style.hasPriorities { add("<\(level.priority)>") }
        let time = Self.time(milliseconds: milliseconds)
        switch style.form {
        case .text:
            add(style.hasPriorities ? "" : "\(time) ")
            add("\(level.rawValue) \(part.rawValue): ")
            add(escaped: event)
        case .json:
            add("{\"ts\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"event\":\"")
            add(escaped: event)
            add("\",\"subsystem\":\"\(part.rawValue)\"")
        case .logfmt:
            add("ts=\(time) level=\(level.rawValue) event=\"")
            add(escaped: event)
            add("\" subsystem=\(part.rawValue)")
        }
    }

    /// Adds a field with a text.
    mutating func add(_ key: String, _ value: String) {
        let key = Self.name(key)
        guard hasRoom(for: key) else { return }
        append(key, Self.bounded(value))
    }

    /// Adds a field with a number.
    mutating func add(_ key: String, _ number: LoggedNumber) {
        let key = Self.name(key)
        guard hasRoom(for: key) else { return }
        add(style.form == .json ? ",\"\(key)\":\(number)" : " \(key)=\(number)")
    }

    /// Whether a field is begun; one that is not is counted.
    private mutating func hasRoom(for key: String) -> Bool {
        guard bytes.count + key.utf8.count + Self.shortestField > end else { return true }
        leftOut += 1
        return false
    }

    /// The whole line, without a line feed.
    var finished: [UInt8] {
        var line = self
        if leftOut > 0 { line.add(style.form == .json ? ",\"left_out\":\(leftOut)" : " left_out=\(leftOut)") }
        if style.form == .json { line.add("}") }
        return line.bytes
    }

    private mutating func append(_ key: String, _ value: String) {
        let isShort = bytes.count + key.utf8.count + value.utf8.count + 2 <= end
        let isPlain = style.form != .json && Self.isPlain(value) && isShort
        add(style.form == .json ? ",\"\(key)\":" : " \(key)=")
        guard !isPlain else { return add(value) }
        add("\"")
        add(escaped: value)
        add("\"")
    }

    // MARK: Bytes

    private mutating func add(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func add(escaped text: String) {
        var cut = bytes.count
        for scalar in text.unicodeScalars {
            add(scalar)
            guard bytes.count <= end else {
                bytes.removeSubrange(cut...)
                add(Self.ellipsis)
                return
            }
            if bytes.count <= end - Self.ellipsis.utf8.count { cut = bytes.count }
        }
    }

    /// Adds a character: control characters, line separators, quotes and backslashes as escapes. Those of JSON are logfmt's
    /// too.
    private mutating func add(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x22: add("\\\"")
        case 0x5C: add("\\\\")
        case 0x00..<0x20, 0x7F...0x9F, 0x2028, 0x2029:
            let digits = String(scalar.value, radix: 16)
            add(
                style.form == .text
                    ? "\\u{\(digits)}" : "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
        default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    // MARK: Values

    /// Limits the length of a field, whatever a peer wrote. The text is cut by bytes, at the end of a character.
    static func bounded(_ text: String) -> String {
        guard text.utf8.count > longestValue else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: longestValue)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end]) + ellipsis
    }

    /// How many bytes of a value are written. Operators need nothing longer, except lists of names.
    static let longestValue = 1_024

    /// Whether a value needs no quotes.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x3D }
    }

    /// The key as it is written: without anything that needs quotes, and different from those at the line's beginning.
    private static func name(_ key: String) -> String {
        let isName = !key.isEmpty && key.utf8.allSatisfy { isNameByte($0) }
        guard !isName || beginning.contains(key) else { return key }
        return String(key.unicodeScalars.map { $0.isASCII && isNameByte(UInt8($0.value)) ? Character($0) : "_" }) + "_"
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
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

    private static let ellipsis = "..."
    /// The keys with which a line begins.
    private static let beginning: Set<String> = ["ts", "level", "event", "subsystem", "left_out"]
    /// Bytes that are kept free for the end of a line: a quote, the part if the event fills the line, the number of fields left
    /// out, and a brace.
    private static let closing = 48
    /// Bytes of a field besides its key that make it worth beginning; a number of any length has room in them.
    private static let shortestField = 24
}

extension Logger.Level {
    /// The priority that sd-daemon(3) gives a line of this level.
    var priority: Int {
        switch self {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
