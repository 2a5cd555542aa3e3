import ArgumentParser
import Settings

/// Makes the manual pages, in the language of man(7), of the commands and the table of settings.
enum ManualPage {
    /// holdfast(8): the commands.
    static var program: String {
        """
        .TH HOLDFAST 8 "" Holdfast "System administration"
        .SH NAME
        holdfast \\- connection manager for XMPP: BOSH, WebSocket and HTTP polling
        .SH SYNOPSIS
        \(commands.map { synopsis($0) }.joined(separator: "\n.br\n"))
        .br
        .B holdfast \\-\\-version
        .SH DESCRIPTION
        Web clients connect to Holdfast, and Holdfast connects to an XMPP server for each of their sessions.
        Everything is set in a file, see
        .BR holdfast.toml (5).
        The shortest file is:
        .PP
        .nf
        \(ConfigurationOutput.shortest.split(separator: "\n").map { escaped(String($0)) }.joined(separator: "\n"))
        .fi
        .SH COMMANDS
        \(commands.map { entry("holdfast " + name($0), abstract($0) + ".") }.joined(separator: "\n"))
        .SH OPTIONS
        .SS Of run, check and print-proxy-config
        \(entry("--config FILE", GivenSettings.configHelp + "."))
        \(SettingsTable.rows.filter(\.hasFlag).map { option($0) }.joined(separator: "\n"))
        .SS Of run
        \(RunCommand.actions.map { entry("--" + $0.name, $0.help + ".") }.joined(separator: "\n"))
        .SS Of print-proxy-config
        \(entry("--multi", "For several nodes, of which the sid names one; nginx and haproxy can do that."))
        .SS Of status and drain
        \(entry("--admin ADDR:PORT", "Where the running program answers operators, if the file does not say it."))
        .SS Of reload, upgrade, log and reopen
        \(entry("--control unix:PATH", "Where the running program takes commands, if the file does not say it."))
        .SH ENVIRONMENT
        \(paragraph("Each setting has a variable: HOLDFAST_ and its name in capitals, with _ for -. Flags win over variables, and variables over the file. Commas separate the values of a list."))
        .SH FILES
        \(entry(Configuration.usualPath, "The settings, when no --config is given and the file exists."))
        .SH SIGNALS
        \(entry("SIGTERM, SIGINT", "Clients are told to come back, over the time of the setting drain, and the program ends. A second signal ends it at once."))
        \(entry("SIGHUP", "The settings are read again. What is wrong with them is logged, and then the old ones stay."))
        \(entry("SIGUSR1", "The file of the access log is opened again."))
        \(entry("SIGUSR2", "The program is replaced by the one that its path names now."))
        .SH EXIT STATUS
        \(entry("0", "The program has ended as it was told to, or the settings are valid."))
        \(entry("1", "It could not start, or a command could not be carried out."))
        \(entry("64", "The command line is wrong."))
        \(entry("78", "The settings are wrong."))
        .SH SEE ALSO
        .BR holdfast.toml (5)

        """
    }

    /// holdfast.toml(5): the settings.
    static var file: String {
        """
        .TH HOLDFAST.TOML 5 "" Holdfast "File formats"
        .SH NAME
        holdfast.toml \\- settings of Holdfast
        .SH DESCRIPTION
        \(paragraph("The file is TOML: each line has the name of a setting, a = and its value. Numbers are written without quotes, everything else in quotes. A number of bytes may have a unit (\"16 MiB\"), on and off may be true and false, and a setting that can be given more than once is a list. Settings that a file does not have keep their defaults."))
        .PP
        \(paragraph("A domain that is reached in another way than the others has a table of its own, such as [domains.\"example.org\"], at the end of the file. It may have the settings that are marked \"in a domain's table too\"."))
        .PP
        \(paragraph("holdfast check says what is wrong with a file, holdfast run --print-config shows the settings in force with their origins, and holdfast run --print-default-config a file with every setting."))
        \(SettingsSection.all.map { section($0) }.joined(separator: "\n"))
        .SH EXAMPLE
        .nf
        \(SettingsDocument.completeExample.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }.joined(separator: "\n"))
        .fi
        .SH FILES
        \(entry(Configuration.usualPath, "The usual place."))
        .SH SEE ALSO
        .BR holdfast (8)

        """
    }

    private static var commands: [ParsableCommand.Type] {
        RootCommand.configuration.subcommands.filter { $0.configuration.shouldDisplay }
    }

    private static func name(_ command: ParsableCommand.Type) -> String { command.configuration.commandName ?? "" }

    private static func abstract(_ command: ParsableCommand.Type) -> String { command.configuration.abstract }

    private static func synopsis(_ command: ParsableCommand.Type) -> String {
        let usage = command.configuration.usage ?? "holdfast \(name(command))"
        return usage.split(separator: "\n").map { ".B " + escaped(String($0)) }.joined(separator: "\n.br\n")
    }

    private static func section(_ section: SettingsSection) -> String {
        ".SH \(escaped(section.title.uppercased()))\n" + section.rows.map { setting($0) }.joined(separator: "\n")
    }

    private static func setting(_ row: SettingRow) -> String {
        var facts = "Allowed: \(SettingsDocument.allowed(row)). "
        facts +=
            row.isRequired
            ? "It has to be given."
            : "Default: \(row.defaults.isEmpty ? "none" : row.defaults.joined(separator: ", "))."
        if row.isPerDomain { facts += " In a domain's table too." }
        return entry(row.name, row.doc + ".") + "\n.br\n" + paragraph(facts)
    }

    private static func option(_ row: SettingRow) -> String {
        entry("--\(row.name) \(row.valueName)", row.doc + ".")
    }

    private static func entry(_ term: String, _ text: String) -> String {
        ".TP\n.B \(escaped(term))\n\(paragraph(text))"
    }

    /// Lines of text, none of which troff takes for a request.
    private static func paragraph(_ text: String) -> String {
        Words.lines(of: text, width: 100).map { escaped($0) }.joined(separator: "\n")
    }

    /// The text as it is to be read: a hyphen stays one that can be copied, and a line begins with no request.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "\"": result += "\\(dq"
            case "'": result += "\\(aq"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case "`": result += "\\(ga"
            default: result.append(character)
            }
        }
        return result.hasPrefix(".") ? "\\&" + result : result
    }
}
