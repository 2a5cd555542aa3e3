import ArgumentParser
import Settings

/// Makes one line of ArgumentParser's message about a wrong command line.
enum CommandLineError {
    /// The line without the program's name.
    ///
    /// The library's errors are not public, so its message is parsed: its first quoted word is the flag or argument in
    /// question. A message of an unknown form is passed on in one line.
    static func line(for message: String, arguments: [String]) -> String {
        let quoted = quotedWords(in: message)
        let flag = quoted.first.map(firstWord) ?? ""
        let command = arguments.first ?? ""
        let isRun = [RunCommand.configuration.commandName, CheckCommand.configuration.commandName].contains(command)
        let isCommand = RootCommand.configuration.subcommands.contains { $0.configuration.commandName == command }
        let help = isCommand ? "see 'holdfast \(command) --help'" : "see 'holdfast --help'"
        if message.hasPrefix("Unknown option"), !flag.isEmpty {
            let ofRun = SettingsTable.rows.compactMap(\.flag) + RunCommand.actions.map { "--" + $0.name } + ["--config"]
            if !isRun, ofRun.contains(flag) {
                return "'\(flag)' has to stand behind 'run': holdfast run \(flag) …"
            }
            let guess = quoted.count > 1 ? "did you mean '\(printable(quoted[1]))'? " : ""
            return "unknown flag '\(printable(flag))'; \(guess)\(help)"
        }
        if message.hasPrefix("Missing value"), let row = SettingsTable.rows.first(where: { $0.flag == flag }) {
            // The library takes a value such as -5 for a flag; the line names it, or it would make no sense.
            if let value = argument(after: flag, in: arguments), !isFlag(value) {
                return "\(flag): '\(printable(value))' is not \(row.allowed)"
            }
            return "\(flag) needs a value: \(row.allowed)"
        }
        if message.hasPrefix("Missing value"), flag == "--config" {
            return "--config needs a value: the path of a configuration file"
        }
        if message.contains("nexpected argument"), !flag.isEmpty {
            return isCommand
                ? "unexpected argument '\(printable(quoted[0]))'; \(help)"
                : "unknown command '\(printable(quoted[0]))'; \(help)"
        }
        if let line = choice(message) { return "\(line)\(help)" }
        var words = message.split(whereSeparator: \.isWhitespace).joined(separator: " ")[...]
        while let last = words.last, last.isPunctuation, last != "'", last != "\"", last != ")" { words.removeLast() }
        return "\(printable(String(words))); \(help)"
    }

    /// The line for a word that is none of those that are allowed, up to its last semicolon or question; nil for another
    /// message.
    private static func choice(_ message: String) -> String? {
        guard message.hasPrefix("The value '"), let end = message.firstRange(of: "' is invalid for '"),
            let list = message[end.upperBound...].firstRange(of: "'. Please provide one of ")
        else { return nil }
        let value = String(message[..<end.lowerBound].dropFirst("The value '".count))
        let allowed = message[list.upperBound...].filter { $0 != "'" && $0 != "." }
        let words = allowed.split { $0 == " " || $0 == "," }.map(String.init).filter { $0 != "or" }
        let guess = nearest(to: value, among: words).map { "did you mean '\($0)'? " } ?? ""
        return "'\(printable(value))' is not \(allowed); \(guess)"
    }

    private static func printable(_ text: String) -> String {
        SettingsError.printable(text)
    }

    private static func quotedWords(in message: String) -> [String] {
        let parts = message.split(separator: "'", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 && $0 < parts.count - 1 }.map { String(parts[$0]) }
    }

    /// `--flag` of `--flag <VALUE>`.
    private static func firstWord(of text: String) -> String {
        String(text.prefix { $0 != " " })
    }

    private static func argument(after flag: String, in arguments: [String]) -> String? {
        arguments.indices.dropFirst().first { arguments[$0 - 1] == flag }.map { arguments[$0] }
    }

    private static func isFlag(_ argument: String) -> Bool {
        argument.hasPrefix("--") || argument == "-h"
    }
}
