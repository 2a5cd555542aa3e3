import ArgumentParser

/// The measuring tools: a null XMPP server behind Holdfast and a crowd of BOSH clients in front of it. Each is a process
/// of its own, so that the processor time of Holdfast can be told from theirs.
@main
struct HoldfastBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast-bench",
        abstract: "Measures a BOSH connection manager.",
        subcommands: [NullServerCommand.self, LoadCommand.self, RefusalCommand.self])
}
