import ArgumentParser
import Reactor

/// `holdfast-bench null-server`: runs until SIGTERM or SIGINT; SIGHUP resets its streams.
struct NullServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "null-server",
        abstract: "An XMPP server that does nothing but route messages between its own streams.",
        discussion: """
            Any SASL ANONYMOUS or PLAIN login succeeds. A message goes to the full JID it names, also to its sender.
            Everything else that needs an answer gets an empty result. No TLS: for loopback only. SIGHUP resets all streams.
            """)

    @Option(help: "Where to listen, ADDR:PORT; port 0 picks a free one, which is printed.")
    var listen: String = "127.0.0.1:0"

    @Option(help: "The domain of the JIDs it hands out.")
    var domain: String = "bench.test"

    func run() throws {
        guard let address = SocketAddress(listen) else {
            throw ValidationError("--listen '\(listen)': ADDR:PORT, [ADDR]:PORT or unix:PATH expected")
        }
        _ = DescriptorLimit.raise()
        let server = try NullServer(address, domain: domain)
        StandardStream.output.writeLine("listening on \(server.address)")
        try server.run()
        StandardStream.output.writeLine(
            "streams \(server.streamsEver) messages \(server.messagesRouted) unroutable \(server.messagesUnroutable)")
    }
}
