import Settings
import TOMLCodec

/// What is wrong with the syntax of a configuration file, in words for somebody who does not know TOML.
///
/// toml++ says where it stopped, and what it expected there. That can be behind the fault, as when a bracket is missing. So
/// this looks at the statement in which it stopped. What nothing is known about is said in toml++'s words.
struct SyntaxFault: Equatable {
    /// The place of the fault.
    let position: TOMLPosition
    /// One line about it.
    let reason: String

    /// The fault that the parser found in this text.
    init(_ error: TOMLSyntaxError, in text: ConfigurationText) {
        let statement = Statement(at: error.position, in: text)
        let found =
            Self.repeated(error, statement, text)
            ?? Self.openQuote(error, statement, text)
            ?? (statement.isHeader ? Self.header(error, statement) : Self.pair(error, statement))
        position = found?.position ?? error.position
        reason = found?.reason ?? "no valid TOML: \(error.reason)"
    }

    private init(_ position: TOMLPosition, _ reason: String) {
        self.position = position
        self.reason = reason
    }
}

// What was there before.
extension SyntaxFault {
    /// A key or a table that is there twice, with the line of the first.
    private static func repeated(
        _ error: TOMLSyntaxError, _ statement: Statement, _ text: ConfigurationText
    ) -> SyntaxFault? {
        guard error.reason.contains("cannot redefine"), let path = statement.path, let name = path.last,
            let earlier = Earlier(before: statement.first, in: text)
        else { return nil }
        let place = statement.isHeader ? earlier.place(of: path) : earlier.placeInLastTable(of: path)
        guard let place else { return nil }
        let line = "line \(place.line)"
        guard statement.isHeader else {
            let position = TOMLPosition(line: statement.first, column: statement.indent + 1)
            var reason = "'\(SettingsError.printable(name))' is already set in \(line)"
            if SettingsTable.row(named: name)?.isRepeatable == true {
                reason += "; several values are a list: \(name) = [\"…\", \"…\"]"
            }
            return SyntaxFault(position, reason)
        }
        let header = SettingsError.printable(statement.body)
        guard !error.reason.contains(" as ") else {
            return SyntaxFault(error.position, "\(header) cannot be a table: '\(name)' is already set in \(line)")
        }
        return SyntaxFault(error.position, "the table \(header) is already there in \(line); write its settings there")
    }
}

// Quotes and brackets.
extension SyntaxFault {
    /// A quote that is not closed.
    private static func openQuote(
        _ error: TOMLSyntaxError, _ statement: Statement, _ text: ConfigurationText
    ) -> SyntaxFault? {
        let line = text.line(error.position.line)
        let isAtEnd = error.position.column > line.count
        guard error.reason.contains("string"), isAtEnd else { return nil }
        for number in statement.first...max(statement.first, error.position.line) {
            let line = text.line(number)
            guard let column = Quotes.firstOpen(in: line, from: number == statement.first ? statement.indent : 0) else {
                continue
            }
            let rest = line[from: column]
            let isLong = rest.starts(with: "\"\"\"".unicodeScalars) || rest.starts(with: "'''".unicodeScalars)
            return SyntaxFault(
                TOMLPosition(line: number, column: column),
                isLong
                    ? "this begins a text of several lines, which nothing ends"
                    : "the quote that opens here is not closed in this line")
        }
        return nil
    }

    private static func header(_ error: TOMLSyntaxError, _ statement: Statement) -> SyntaxFault? {
        if statement.hasOddQuotes { return SyntaxFault(error.position, "a quote is missing before this") }
        guard ["expected ']'", "expected a name", "end-of-file"].contains(where: error.reason.contains) else {
            return nil
        }
        if !statement.body.contains("]") {
            return SyntaxFault(error.position, "the ] that ends the name of a table is missing: \(statement.body)]")
        }
        return SyntaxFault(error.position, "a table's name is one word or in quotes, such as [domains.\"example.org\"]")
    }
}

// A key and a value.
extension SyntaxFault {
    private static func pair(_ error: TOMLSyntaxError, _ statement: Statement) -> SyntaxFault? {
        let position = error.position
        let reason = error.reason
        guard let value = statement.value else { return key(error, statement) }
        let name = statement.name
        if reason.contains("expected value") || value.isEmpty {
            return SyntaxFault(position, "\(name) has no value behind the =")
        }
        if reason.contains("parsing array") { return list(error, statement) }
        if reason.contains("escape sequence") {
            let escape = reason.suffix(from: reason.firstIndex(of: "'") ?? reason.startIndex)
            return SyntaxFault(position, "\(escape) is no escape; a backslash is written \\\\")
        }
        if reason.contains("inline table") {
            return SyntaxFault(position, "a table in braces has to be in one line, with commas between its settings")
        }
        if value.first == "[" { return element(error, statement) }
        guard let first = value.first, !"\"'{".contains(first) else {
            guard reason.contains("expected a comment") else { return nil }
            if reason.contains("saw ','") {
                return SyntaxFault(position, "several values are a list in brackets: \(name) = [\(value)]")
            }
            return SyntaxFault(
                position,
                statement.hasOddQuotes ? "a quote is missing before this" : "nothing may stand behind the value")
        }
        let place = TOMLPosition(line: statement.first, column: statement.valueColumn)
        return SyntaxFault(place, unquoted(value, name))
    }

    /// A line that sets nothing.
    private static func key(_ error: TOMLSyntaxError, _ statement: Statement) -> SyntaxFault? {
        let body = statement.body
        let position = error.position
        if body.hasPrefix("//") || body.hasPrefix(";") || body.hasPrefix("--") {
            return SyntaxFault(position, "a comment begins with #")
        }
        if body.hasPrefix("=") { return SyntaxFault(position, "the name of a setting is missing before the =") }
        if body.hasSuffix("]"), !body.contains("=") {
            return SyntaxFault(position, "the [ that begins the name of a table is missing: [\(body)")
        }
        guard error.reason.contains("expected '='") else { return nil }
        if let equals = body.firstIndex(of: "=") {
            let words = body[..<equals].split(separator: " ").joined(separator: "-")
            if let meant = nearest(to: words, among: SettingsTable.rows.map(\.name)) {
                return SyntaxFault(position, "the name of a setting is one word; did you mean '\(meant)'?")
            }
            return SyntaxFault(position, "the name of a setting is one word")
        }
        let isColon = error.reason.contains("saw ':'")
        return SyntaxFault(
            position, isColon ? "a = has to stand here, not a colon" : "there is no = between name and value")
    }

    /// A list in which a comma, a quote or the last bracket is missing.
    private static func list(_ error: TOMLSyntaxError, _ statement: Statement) -> SyntaxFault? {
        guard error.reason.contains("expected comma") || error.reason.contains("end-of-file") else { return nil }
        let isValue = error.reason.contains("saw '\"'") || error.reason.contains("saw '''")
        if isValue { return SyntaxFault(error.position, "a comma is missing before this value") }
        if error.position.line == statement.first, !error.reason.contains("end-of-file") {
            return SyntaxFault(
                error.position,
                statement.hasOddQuotes ? "a quote is missing before this" : "a comma or a ] has to stand here")
        }
        return openList(statement)
    }

    private static func openList(_ statement: Statement) -> SyntaxFault {
        SyntaxFault(
            TOMLPosition(line: statement.first, column: statement.valueColumn),
            "the list that begins here has no ] at its end")
    }

    /// A value of a list, which is not in quotes.
    private static func element(_ error: TOMLSyntaxError, _ statement: Statement) -> SyntaxFault? {
        let line = statement.line(error.position.line)
        if error.position.line > statement.first, Quotes.outside(of: line, { $0 == "=" }) != nil {
            return openList(statement)
        }
        let isEnd: (Unicode.Scalar) -> Bool = { ",[]".unicodeScalars.contains($0) }
        let before = line.prefix(max(0, error.position.column - 1)).lastIndex(where: isEnd).map { $0 + 1 } ?? 0
        let token = line[before...].prefix { !isEnd($0) }
        let start = token.firstIndex { $0 != " " && $0 != "\t" } ?? before
        let text = Statement.trimmed(String(scalars: token))
        guard let first = text.first, first != "\"", first != "'" else { return nil }
        return SyntaxFault(
            TOMLPosition(line: error.position.line, column: start + 1), unquoted(text, statement.name))
    }

    /// What is to be said about a value without quotes, or with others than TOML's.
    private static func unquoted(_ written: String, _ name: String) -> String {
        let quotes = "\"'“”„‘’«»"
        var value = written[...]
        while let last = value.last, quotes.contains(last) { value.removeLast() }
        let isTypographic = value.first.map { quotes.contains($0) } ?? false
        while let first = value.first, quotes.contains(first) { value.removeFirst() }
        let shown = SettingsError.printable(String(value))
        if isTypographic { return "the quotes have to be straight: \"\(shown)\"" }
        guard let row = SettingsTable.row(named: name) else { return "a text has to stand in quotes: \"\(shown)\"" }
        if row.kind.isSwitch { return "\(name): '\(shown)' is not \(row.allowed), true, false" }
        if SettingsTable.accepts(String(value), as: name), value.contains(where: { !$0.isNumber }) || !row.kind.isNumber
        {
            return "\(name): a text has to stand in quotes: \"\(shown)\""
        }
        if value.first == "0", value.allSatisfy(\.isNumber) { return "\(name): a number begins with no zero" }
        return "\(name): '\(shown)' is not \(row.allowed)" + (row.kind.isNumber ? "" : ", in quotes")
    }
}
