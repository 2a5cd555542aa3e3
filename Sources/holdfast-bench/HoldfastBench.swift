import ArgumentParser

/// The measuring tools: a null XMPP server behind Holdfast and many BOSH clients in front of it. Each is a separate
/// process, so that Holdfast's processor time can be told from theirs.
@main
struct HoldfastBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast-bench",
        abstract: "Measures a BOSH connection manager.",
        subcommands: [NullServerCommand.self, LoadCommand.self, RefusalCommand.self])
}
