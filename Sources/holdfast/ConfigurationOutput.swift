import Settings

/// A configuration as text of a file.
enum ConfigurationOutput {
    /// The shortest file that serves a domain.
    static let shortest = """
        domain = "example.org"
        upstream = "127.0.0.1:5222"
        """

    /// The settings that count, each with its origin, as a file that makes equal settings. No setting is a secret: keys are
    /// in files of their own, of which only the paths are shown.
    static func effective(_ settings: Settings, file: String?) -> String {
        let (common, tables) = settings.effective
        var text = "# The settings in force\(file.map { " with " + SettingsError.printable($0) } ?? "").\n"
        if !tables.isEmpty {
            text += "# The table of a domain has what it sets itself; everything else holds for it too.\n"
        }
        for section in SettingsSection.all {
            text += "\n# \(section.title)\n"
            for setting in common where section.rows.contains(setting.row) { text += line(setting) }
        }
        for table in tables {
            text += "\n[domains.\(quoted(table.domain))]  # \(words(table.origin, ""))\n"
            for setting in table.settings { text += line(setting) }
        }
        return text
    }

    /// A complete file, in which each setting is a comment with its default, or with an example where there is none.
    static var defaults: String {
        var text = """
            # Every setting of Holdfast, with its default. Take away the # in front of a setting to change it. This is enough to
            # begin with:
            #
            \(shortest.split(separator: "\n").map { "#     \($0)" }.joined(separator: "\n"))
            #
            # `holdfast check` says what is wrong with this file, and `holdfast run --print-config` what is in force. The manual
            # page is holdfast.toml(5).

            """
        for section in SettingsSection.all {
            text += "\n# ---- \(section.title) ----\n"
            for row in section.rows {
                let example = row.defaults.isEmpty
                text += "\n" + comment(row.doc + (example ? "; not set by default." : ".")) + "\n"
                text += "#\(assignment(row, example ? row.example : row.defaults))\n"
            }
        }
        text += "\n# ---- A domain that is reached in another way than the others ----\n\n"
        text += comment(
            "Its table stands at the end of the file. It may have the settings of the section about the server of a domain."
        )
        text += "\n#[domains.\"example.net\"]\n#upstream = \"dns\"\n"
        return text
    }

    /// `NAME = VALUE`, as TOML.
    static func assignment(_ row: SettingRow, _ values: [String]) -> String {
        let texts = values.map { value in
            let isNumber = row.kind.isNumber && !value.isEmpty && value.utf8.allSatisfy { (0x30...0x39).contains($0) }
            return isNumber ? value : quoted(value)
        }
        if texts.count == 1 { return "\(row.name) = \(texts[0])" }
        return "\(row.name) = [\(texts.joined(separator: ", "))]"
    }

    private static func line(_ setting: EffectiveSetting) -> String {
        let row = setting.row
        guard let origin = setting.origin else {
            return row.defaults.isEmpty
                ? "# \(row.name) is not set\n" : "\(assignment(row, row.defaults))  # default\n"
        }
        return "\(assignment(row, setting.values))  # \(words(origin, row.name))\n"
    }

    /// `FILE:LINE`, a flag or a variable.
    private static func words(_ origin: SettingOrigin, _ name: String) -> String {
        switch origin {
        case .file(let path, let line, _): "\(SettingsError.printable(path)):\(line)"
        case .environment: SettingRow.environmentName(of: name)
        case .flag: "--\(name)"
        }
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case "\u{0}"..."\u{1F}", "\u{7F}": "?"
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }

    /// The text as lines of comment of at most 120 characters.
    private static func comment(_ text: String) -> String {
        Words.lines(of: text, width: 118).map { "# \($0)" }.joined(separator: "\n")
    }
}

/// Text in lines.
enum Words {
    /// The words of a text in lines of at most `width` characters.
    static func lines(of text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
