import TOMLCodec

/// The statement of a TOML document in which the parser stopped: a table's header, or a key with its value, from its first
/// line to that of the fault.
struct Statement {
    /// Its first line.
    let first: Int
    /// How many characters of white space come before it.
    let indent: Int
    /// Its first line without white space and comment.
    let body: String
    private let text: ConfigurationText

    /// So many lines before the fault are looked at, because each is a run of the parser.
    private static let mostLines = 200

    /// The statement around a place: it begins in the last line before which everything is valid.
    init(at position: TOMLPosition, in text: ConfigurationText) {
        let last = max(1, min(position.line, text.count))
        let lines = (max(1, last - Self.mostLines)...last).reversed()
        first = lines.first { Self.isValid(text.bytes(before: $0)) } ?? last
        self.text = text
        let line = text.line(first)
        indent = line.prefix { $0 == " " || $0 == "\t" }.count
        let end = Quotes.comment(in: line) ?? line.count
        body = Self.trimmed(String(scalars: line[indent..<max(indent, end)]))
    }

    private static func isValid(_ text: [UInt8]) -> Bool {
        do throws(TOMLSyntaxError) {
            _ = try TOMLReader.read(text)
            return true
        } catch {
            return false
        }
    }

    /// The characters of one of its lines.
    func line(_ number: Int) -> [Unicode.Scalar] { text.line(number) }

    /// Whether it is the header of a table.
    var isHeader: Bool { body.hasPrefix("[") }

    /// Whether a quote of its first line has no partner.
    var hasOddQuotes: Bool { !body.filter { $0 == "\"" }.count.isMultiple(of: 2) }

    /// What stands before the first `=`.
    var name: String { Self.trimmed(String(scalars: line(first)[indent..<(equals ?? indent)])) }

    /// What stands behind the first `=`, in the first line; nil without one, and when more than a key stands before it.
    var value: String? {
        guard let equals, !name.isEmpty, !name.contains(where: { " \t:".contains($0) && !name.hasPrefix("\"") }) else {
            return nil
        }
        return Self.trimmed(String(body.unicodeScalars.dropFirst(equals + 1 - indent)))
    }

    /// The column of the first character behind `=` and white space.
    var valueColumn: Int {
        let rest = line(first)[from: (equals ?? 0) + 2]
        return (rest.firstIndex { $0 != " " && $0 != "\t" } ?? rest.endIndex) + 1
    }

    /// The parts of the key, or of the table's name; nil when they cannot be read.
    var path: [String]? {
        let complete = isHeader ? body : name + " = 0"
        do throws(TOMLSyntaxError) {
            var path: [String] = []
            var members = try TOMLReader.read(Array(complete.utf8))
            while let member = members.first {
                path.append(member.key)
                switch member.value.content {
                case .table(let inner): members = inner
                default: members = []
                }
            }
            return path
        } catch {
            return nil
        }
    }

    private var equals: Int? {
        Quotes.outside(of: line(first)) { $0 == "=" }
    }

    /// The text without white space at its ends.
    static func trimmed(_ text: String) -> String {
        var rest = text.drop { $0.isWhitespace }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}

/// Quotes in a line of TOML.
enum Quotes {
    /// The index of the first character outside of quotes for which `matches` is true.
    static func outside(of line: [Unicode.Scalar], _ matches: (Unicode.Scalar) -> Bool) -> Int? {
        scan(line, from: 0, matches).found
    }

    /// The index of the `#` that begins a comment.
    static func comment(in line: [Unicode.Scalar]) -> Int? { outside(of: line) { $0 == "#" } }

    /// The column of the quote that is open at the end of the line; of the first one when three open a text.
    static func firstOpen(in line: [Unicode.Scalar], from start: Int) -> Int? {
        guard let open = scan(line, from: start, { $0 == "#" }).open else { return nil }
        let isThird = open >= 2 && line[open - 1] == line[open] && line[open - 2] == line[open]
        return isThird ? open - 1 : open + 1
    }

    private static func scan(
        _ line: [Unicode.Scalar], from start: Int, _ matches: (Unicode.Scalar) -> Bool
    ) -> (found: Int?, open: Int?) {
        var quote: (scalar: Unicode.Scalar, index: Int)?
        var index = start
        while index < line.count {
            let scalar = line[index]
            if let open = quote {
                if scalar == "\\", open.scalar == "\"" { index += 1 }
                if scalar == open.scalar { quote = nil }
            } else if scalar == "\"" || scalar == "'" {
                quote = (scalar, index)
            } else if matches(scalar) {
                return (index, nil)
            }
            index += 1
        }
        return (nil, quote?.index)
    }
}

/// The valid part of a document, before the statement in which the parser stopped.
struct Earlier {
    private let members: [TOMLMember]
    private let text: ConfigurationText

    /// nil when the lines before this one are not valid by themselves.
    init?(before line: Int, in text: ConfigurationText) {
        do throws(TOMLSyntaxError) {
            members = try TOMLReader.read(text.bytes(before: line))
            self.text = text
        } catch {
            return nil
        }
    }

    /// Where the key at this path stands.
    func place(of path: [String]) -> TOMLPosition? { Self.place(of: path, in: members) }

    /// Where the key at this path stands, from the table on to which a new line would belong.
    func placeInLastTable(of path: [String]) -> TOMLPosition? {
        var last = (begin: TOMLPosition(line: 0, column: 0), members: members)
        find(&last, in: members)
        return Self.place(of: path, in: last.members)
    }

    /// Finds the table whose header comes last.
    private func find(_ last: inout (begin: TOMLPosition, members: [TOMLMember]), in members: [TOMLMember]) {
        for member in members { find(&last, in: member.value) }
    }

    private func find(_ last: inout (begin: TOMLPosition, members: [TOMLMember]), in value: TOMLValue) {
        switch value.content {
        case .table(let inner):
            let isHeader = text.line(value.begin.line)[from: value.begin.column].first == "["
            if isHeader, value.begin >= last.begin { last = (value.begin, inner) }
            find(&last, in: inner)
        case .array(let values):
            for value in values { find(&last, in: value) }
        default: break
        }
    }

    private static func place(of path: [String], in members: [TOMLMember]) -> TOMLPosition? {
        guard let name = path.first, let member = members.first(where: { $0.key == name }) else { return nil }
        let place = min(member.position, member.value.begin)
        guard path.count > 1, case .table(let inner) = member.value.content else { return place }
        return self.place(of: Array(path.dropFirst()), in: inner)
    }
}
