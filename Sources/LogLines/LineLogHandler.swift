import Logging
import Reactor
import Settings

/// Writes log lines in a style to a stream: one line for each event. The full `sid` is never logged, because it is all that
/// an attacker needs to take over a session.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata = Logger.Metadata()
    private let part: LogSubsystem
    private let style: LineStyle
    private let stream: LogStream

    /// Creates a handler that writes lines of `level` and above to `stream`, and drops lines that find no room there.
    ///
    /// - Parameter part: the part of the program whose lines these are.
    package init(level: Logger.Level, part: LogSubsystem, style: LineStyle, stream: LogStream) {
        logLevel = level
        self.part = part
        self.style = style
        self.stream = stream
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = event.metadata.map { metadata.merging($0) { _, new in new } } ?? metadata
        let line = line(event.level, event.message.description, fields, milliseconds: WallClock.milliseconds)
        stream.writeLine(line) { notice(of: $0, milliseconds: WallClock.milliseconds) }
    }

    /// A line with all its fields, in the order of their names.
    func line(_ level: Logger.Level, _ event: String, _ fields: Logger.Metadata, milliseconds: Int64) -> [UInt8] {
        var line = LogLine(style, level, part, event, milliseconds: milliseconds, room: LogStream.longestLine)
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            if let number = value.loggedNumber { line.add(key, number) } else { line.add(key, value.description) }
        }
        return line.finished
    }

    /// The line that says that lines before it were dropped.
    func notice(of dropped: UInt64, milliseconds: Int64) -> [UInt8] {
        var line = LogLine(
            style, .warning, .process, "log lines were dropped, because nobody read them in time",
            milliseconds: milliseconds,
            room: LogStream.longestNotice)
        line.add("lines", LoggedNumber(Int(clamping: dropped)))
        return line.finished
    }
}
