import Settings

/// Makes docs/settings.md from the table of settings.
enum SettingsDocument {
    /// The whole page.
    static var text: String {
        head + "\n" + SettingsSection.all.map(section).joined(separator: "\n")
    }

    private static func section(_ section: SettingsSection) -> String {
        "## \(section.title)\n\n" + section.rows.map(entry).joined(separator: "\n")
    }

    private static func entry(_ row: SettingRow) -> String {
        var facts = ["allowed: \(allowed(row))", "default: \(defaults(row))"]
        if let flag = row.flag {
            facts.append("flag: `\(flag) \(row.valueName)`" + (row.isRepeatable ? ", repeatable" : ""))
        }
        facts.append("variable: `\(SettingRow.environmentName(of: row.name))`")
        if row.isPerDomain { facts.append("in a domain's table too: yes") }
        return """
            ### \(row.name)

            \(row.doc).

            \(facts.map { "- \($0)" }.joined(separator: "\n"))

            ```toml
            \(example(row))
            ```

            """
    }

    /// The row's example as a file has it.
    static func example(_ row: SettingRow) -> String {
        let values = row.example.map { value in
            row.kind.isNumber && value.utf8.allSatisfy { (0x30...0x39).contains($0) } ? value : "\"\(value)\""
        }
        let value = values.count == 1 && !row.isRepeatable ? values[0] : list(values, after: row.name)
        return (row.isPerDomain ? "[domains.\"example.org\"]\n" : "") + "\(row.name) = \(value)"
    }

    private static func list(_ values: [String], after name: String) -> String {
        let line = "[\(values.joined(separator: ", "))]"
        return name.count + line.count < 100 ? line : "[\n" + values.map { "    \($0),\n" }.joined() + "]"
    }

    private static func allowed(_ row: SettingRow) -> String {
        var text = row.allowed
        if row.kind.isSwitch { text += ", or true and false" }
        return row.isRepeatable ? "\(text); a list of these, or one" : text
    }

    private static func defaults(_ row: SettingRow) -> String {
        if row.isRequired { return "none, it has to be given" }
        return row.defaults.isEmpty ? "none" : row.defaults.map { "`\($0)`" }.joined(separator: ", ")
    }
}

extension SettingsDocument {
    /// A complete file for a site with two domains.
    static let completeExample = """
        # /etc/holdfast/holdfast.toml

        # nginx in front, on this machine.
        listen = ["127.0.0.1:5280", "unix:/run/holdfast/http.sock"]
        public-url = "https://example.org/http-bind"
        client-address-from = "x-forwarded-for"
        trusted-proxy = ["127.0.0.0/8", "::1"]

        # Sessions.
        max-wait = 50
        inactivity = 90
        max-body = "2 MiB"

        # What holds for every domain that does not say it for itself.
        upstream-tls = "starttls"
        upstream-tls-minimum = "1.2"

        # Clients that name no domain mean this one.
        default-domain = "example.org"

        # Two servers, the second only when the first is down; their certificate comes from a CA of our own.
        [domains."example.org"]
        upstream = ["xmpp1.example.org:5222", "xmpp2.example.org:5222 priority=10"]
        upstream-ca = "/etc/holdfast/example-ca.pem"
        upstream-proxy-protocol = "v2"

        # Wherever its SRV records say, over TLS from the first byte on.
        [domains."example.net"]
        upstream = "dns"
        upstream-tls = "direct"
        """

    private static let head = """
        # Settings

        Made from the table in `Sources/Settings` by `deploy/lib/settings-doc`: change it there.

        ## The configuration file

            holdfast run --config /etc/holdfast/holdfast.toml

        The file is [TOML](https://toml.io). Each setting is a key at its top; the names are those of the flags, but a file has
        more of them. Numbers stand without quotes, all else in quotes; a number of bytes may have a unit (`"16 MiB"`), what is
        on or off may be `true` or `false`, and what can be given more than once is a list. Nothing needs to be said twice:
        every setting that has a default has one that is right for most.

        A domain has a table of its own when it is not reached like the others. Its name stands in quotes, because of the dots:
        `[domains."example.org"]`. The table takes the settings that have "in a domain's table too" below; what it does not say
        comes from the top of the file. A table is enough for a domain to be served, `domain` need not name it again. Settings at
        the top have to stand above the first table, or TOML takes them for the table's.

        What is wrong is told with file, line, column and what is allowed, and the program exits with 78:

            holdfast: holdfast.toml:7:1: max-wiat: there is no such setting; did you mean 'max-wait'?
            holdfast: holdfast.toml:9:1: max-hold: '99' is not a number from 1 to 10

        To hear this without serving:

            holdfast run --config /etc/holdfast/holdfast.toml --check-config

        ## A complete example

        ```toml
        \(completeExample)
        ```

        ## What wins

        A flag wins over an environment variable, that over the file, that over the default. For a list the whole list does:
        `--listen` on the command line means that no `listen` of the file counts. What a domain's table says wins over all of
        these, for its domain. The variable of a setting is its name in capitals behind `HOLDFAST_`, with `_` for `-`; the
        values of a list have commas between. A variable that begins like this and is no setting is an error, for it is
        probably a mistyped one; only what Kubernetes sets beside a service of this name is passed over.

        """
}
