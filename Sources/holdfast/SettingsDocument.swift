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

    /// What the setting may be, in a file.
    static func allowed(_ row: SettingRow) -> String {
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

        # These hold for every domain whose table does not set them.
        upstream-tls = "starttls"
        upstream-tls-minimum = "1.2"

        # The domain of clients that name none.
        default-domain = "example.org"

        # Two servers, the second only when the first is down; their certificate comes from a private CA.
        [domains."example.org"]
        upstream = ["xmpp1.example.org:5222", "xmpp2.example.org:5222 priority=10"]
        upstream-ca = "/etc/holdfast/example-ca.pem"
        upstream-proxy-protocol = "v2"

        # The servers that the SRV records name, over TLS from the first byte on.
        [domains."example.net"]
        upstream = "dns"
        upstream-tls = "direct"
        """

    private static let head = """
        # Settings

        Made from the table in `Sources/Settings` by `deploy/lib/settings-doc`: change it there.

        ## The configuration file

            holdfast run --config /etc/holdfast/holdfast.toml

        The file is [TOML](https://toml.io). Each setting is a key at the top of the file. The keys have the names of the flags;
        a file has further settings without a flag. Numbers are written without quotes, everything else in quotes. A number of
        bytes may have a unit (`"16 MiB"`), on and off may be `true` and `false`, and a setting that can be given more than once
        is a list. Set only what you need: the defaults suit most installations.

        A domain that is reached in another way than the others gets its own table. Its name is in quotes because of the dots:
        `[domains."example.org"]`. The table may have the settings marked "in a domain's table too" below; the others come from
        the top of the file. A domain with a table is served, even if `domain` does not name it. Settings at the top must come
        before the first table, because TOML assigns later ones to the table.

        If a setting is wrong, the program says in which file, line and column, and what is allowed, and exits with 78:

            holdfast: holdfast.toml:7:1: max-wiat: there is no such setting; did you mean 'max-wait'?
            holdfast: holdfast.toml:9:1: max-hold: '99' is not a number from 1 to 10

        Without `--config`, `/etc/holdfast/holdfast.toml` is read if it exists, by `run`, `check`, `status`, `reload`, `upgrade`, `log`,
        `reopen` and `drain` alike; `--config /dev/null` reads no file. Flags and variables win over that file too.

            holdfast check                       # says what is wrong, without serving; --config and all flags of run are possible
            holdfast run --print-config          # every setting in force, with its origin: file and line, variable, flag, default
            holdfast run --print-default-config  # a file with every setting and its default, as deploy/holdfast.toml

        What is allowed but probably not meant is a warning, which begins with `holdfast: warning: `. With warnings alone the check
        succeeds. At a start they are in the log.

        No setting has a secret as its value, so a file of settings is no secret. The key of a client certificate (`upstream-key`) and
        the token for operators (`admin-token-file`) are in files of their own. These are read once, by the user who starts the
        program, and again at a reload, by the user that serves.

        With `admin-token-file`, each request to the admin listener shows the token, as `Authorization: Bearer TOKEN` or as the
        password of any user, which browsers ask for. Only `/healthz`, `/readyz` and `/lbcheck` are answered without it.
        `holdfast status` and `holdfast drain` read the same file, or the one that `--token-file` names:

            install -m 640 -g holdfast /dev/null /etc/holdfast/admin-token
            head -c 24 /dev/urandom | base64 > /etc/holdfast/admin-token
            curl -H "Authorization: Bearer $(cat /etc/holdfast/admin-token)" http://127.0.0.1:5281/stats

        ## A complete example

        ```toml
        \(completeExample)
        ```

        ## What wins

        A flag overrides an environment variable, which overrides the file, which overrides the default. A list is overridden as
        a whole: with `--listen` on the command line, no `listen` of the file counts. For its domain, a domain's table overrides
        all of these. The variable of a setting is `HOLDFAST_` followed by its name in capitals, with `_` for `-`; the values of
        a list are separated by commas. Any other variable with this beginning is an error, because it is probably mistyped;
        only the variables that Kubernetes sets for a service of this name are ignored.

        """
}
