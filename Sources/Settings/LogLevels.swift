/// The importance of a log line, least important first.
package enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical

    /// Reads the name of a level; `warn` is another word for `warning`.
    package init?(word: Substring) {
        self.init(rawValue: word == Self.short ? Self.warning.rawValue : String(word))
    }

    /// All words for levels.
    fileprivate static let words = allCases.map(\.rawValue) + [short]
    private static let short = "warn"
}

/// A part of the program whose log lines have a level of their own. The names are the operator's words.
package enum LogSubsystem: String, CaseIterable, Sendable {
    /// Listeners, connections and requests of clients, and the limits for them.
    case clients
    /// Sessions of all doors, from their creation to their end.
    case sessions
    /// Streams to servers, with TLS and the names of the servers.
    case upstreams
    /// The processes that look up names.
    case resolver
    /// Operators: their questions and their commands.
    case admin
    /// The processes that serve: start, end, reload, upgrade, and what they pass to each other.
    case process
}

/// From which level on each part of the program logs.
package struct LogLevels: Hashable, Sendable {
    /// The level of all parts that have none of their own.
    package var common: LogLevel
    private var own: [LogSubsystem: LogLevel] = [:]

    /// One level for all parts.
    package init(_ common: LogLevel) {
        self.common = common
    }

    /// Reads words with spaces or commas between: a level for all parts, `info` if it is left out, and `part=level` for
    /// parts that differ. Nil when a word is unknown, or says again what another one has said.
    package init?(_ text: String) {
        guard case .success(let levels) = Self.read(text) else { return nil }
        self = levels
    }

    /// The level of a part.
    package subscript(subsystem: LogSubsystem) -> LogLevel { own[subsystem] ?? common }

    /// What is allowed; completes "is not …".
    package static let allowed =
        "a level (\(LogLevel.allCases.map(\.rawValue).joined(separator: ", "))), which part=level may follow; the parts are "
        + LogSubsystem.allCases.map(\.rawValue).joined(separator: ", ")

    /// How a text can be mended that is not allowed; nil when nothing in particular is known.
    @Sendable
    package static func hint(_ text: String) -> String? {
        guard case .failure(let fault) = read(text) else { return nil }
        return fault.hint
    }

    /// Why a text is not allowed.
    private struct Fault: Error {
        let hint: String?
    }

    private static func read(_ text: String) -> Result<LogLevels, Fault> {
        let words = text.split { $0 == " " || $0 == "," }
        guard !words.isEmpty, text.utf8.count <= longest else { return .failure(Fault(hint: nil)) }
        var common: LogLevel?
        var own: [LogSubsystem: LogLevel] = [:]
        for word in words {
            guard let sign = word.firstIndex(of: "=") else {
                guard let level = LogLevel(word: word) else {
                    return .failure(unknown(word, among: LogLevel.words))
                }
                guard common == nil else { return .failure(Fault(hint: "only one level can hold for all parts")) }
                common = level
                continue
            }
            let (name, value) = (word[..<sign], word[word.index(after: sign)...])
            guard let subsystem = LogSubsystem(rawValue: String(name)) else {
                return .failure(unknown(name, among: LogSubsystem.allCases.map(\.rawValue)))
            }
            guard let level = LogLevel(word: value) else {
                return .failure(unknown(value, among: LogLevel.words))
            }
            guard own.updateValue(level, forKey: subsystem) == nil else {
                return .failure(Fault(hint: "'\(name)' has two levels"))
            }
        }
        var levels = LogLevels(common ?? .info)
        levels.own = own
        return .success(levels)
    }

    private static func unknown(_ word: Substring, among names: [String]) -> Fault {
        Fault(hint: nearest(to: String(word), among: names).map { "did you mean '\($0)'?" })
    }

    /// The most bytes of a text: enough for each part twice.
    private static let longest = 512
}

extension LogLevels: CustomStringConvertible {
    /// As it is written in a file: the level for all parts, then those of parts in their fixed order.
    package var description: String {
        let parts = LogSubsystem.allCases.compactMap { part in own[part].map { "\(part.rawValue)=\($0.rawValue)" } }
        return ([common.rawValue] + parts).joined(separator: " ")
    }
}

/// Where a line for each request goes.
package enum AccessLogPlace: Hashable, Sendable {
    case off
    case standardError
    /// A file at this absolute path.
    case file(String)

    /// Reads `off`, `stderr` or a path from the root.
    init?(_ text: String) {
        if text == "off" {
            self = .off
        } else if text == "stderr" {
            self = .standardError
        } else {
            let isPath =
                text.hasPrefix("/") && text.utf8.count <= 1_024 && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            guard isPath, !text.hasSuffix("/") else { return nil }
            self = .file(text)
        }
    }
}

/// How the lines of the access log look.
package enum AccessLogFormat: String, CaseIterable, Sendable {
    case combined, json
}

/// How the lines of the log look.
package enum LogFormat: String, CaseIterable, Sendable {
    case auto, text, json, logfmt
}

/// Whether each line of the log begins with its priority, as sd-daemon(3) describes it.
package enum LogPriorities: String, CaseIterable, Sendable {
    /// If the journal reads standard error.
    case auto
    case on, off
}
