import Addresses
import ArgumentParser
import HTTPWire
import Settings

/// A proxy for which `holdfast print-proxy-config` writes a configuration.
enum ProxyKind: String, CaseIterable, ExpressibleByArgument {
    case nginx, haproxy, apache, caddy

    /// A complete configuration for the settings that the facts are made of. With `isMulti` it is one for several nodes, each
    /// of which gets the requests of its own sessions.
    ///
    /// - Throws: why this proxy cannot do that.
    func configuration(_ facts: ProxyFacts, isMulti: Bool) throws(ProxyFacts.Obstacle) -> String {
        if facts.wantsProxyHeader, self != .haproxy {
            throw ProxyFacts.Obstacle(
                line: "only listen-proxy is set, and \(name) sends no PROXY header to an HTTP server: set listen too")
        }
        switch self {
        case .nginx: return isMulti ? NginxNodes.text(facts) : NginxText.text(facts)
        case .haproxy: return HAProxyText.text(facts, isMulti: isMulti)
        case .apache, .caddy:
            guard !isMulti else {
                throw ProxyFacts.Obstacle(
                    line: "\(name) cannot choose a node by the sid in the body of a request: use haproxy or nginx for "
                        + "several nodes, or \(name) in front of one of these")
            }
            return self == .apache ? ApacheText.text(facts) : CaddyText.text(facts)
        }
    }

    /// The name as its makers write it.
    var name: String {
        switch self {
        case .nginx: "nginx"
        case .haproxy: "HAProxy"
        case .apache: "Apache"
        case .caddy: "Caddy"
        }
    }
}

/// `holdfast print-proxy-config`: writes the configuration of a proxy that fits the settings.
struct ProxyConfigurationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "print-proxy-config", abstract: "Print a configuration of a proxy that fits the settings",
        usage: "holdfast print-proxy-config nginx|haproxy|apache|caddy [--multi] [--config FILE] [options of run]",
        discussion: "docs/proxies.md says what each line is for.")

    @Argument(help: "The proxy: nginx, haproxy, apache or caddy")
    var proxy: ProxyKind

    @Flag(name: .customLong("multi"), help: "For several nodes, of which the sid names one (haproxy and nginx)")
    var isMulti = false

    @OptionGroup var given: GivenSettings
}

/// The lines of a configuration as they are written.
struct ProxyLines {
    private(set) var text = ""
    private let indent: String
    private var depth = 0

    /// `indent` is what a line has in front for each block around it.
    init(indent: String = "    ") {
        self.indent = indent
    }

    /// Adds lines, each as deep as the blocks around it.
    mutating func add(_ lines: String...) { add(lines) }

    /// Adds lines, each as deep as the blocks around it.
    mutating func add(_ lines: [String]) {
        for line in lines { text += line.isEmpty ? "\n" : String(repeating: indent, count: depth) + line + "\n" }
    }

    /// Adds a comment in lines of at most 120 characters, a tab counted as four.
    mutating func note(_ words: String) {
        add(Words.lines(of: words, width: 118 - 4 * depth).map { "# " + $0 })
    }

    /// Adds lines of comment as they are.
    mutating func notes(_ lines: [String]) { add(lines.map { $0.isEmpty ? "#" : "# " + $0 }) }

    /// Adds a block: its first line, what is in it, and its last line.
    mutating func block(_ first: String, _ last: String = "}", _ body: (inout ProxyLines) -> Void) {
        add(first)
        depth += 1
        body(&self)
        depth -= 1
        if !last.isEmpty { add(last) }
    }
}

extension ProxyFacts {
    /// The first lines of each configuration.
    func head(of kind: ProxyKind, version: String = "", _ place: String, _ lines: inout ProxyLines) {
        lines.note(
            "Holdfast behind \(kind.name)\(version), as `holdfast print-proxy-config \(kind.rawValue)` writes it from the "
                + "settings in force. \(place) docs/proxies.md explains it.")
        lines.notes([""])
    }

    /// The address as a URL or a server line has it, without a scheme.
    static func authority(_ place: ListenAddress) -> String {
        switch place {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }

    /// The comment on what a proxy does with its own errors.
    func errorComment(_ kind: ProxyKind, _ statuses: String) -> String {
        "Pages of other origins must be able to read \(kind.name)'s own errors (\(statuses)) too. Holdfast's answers have the "
            + "field already."
    }

    /// The port of a node for clients, where nodes are on other machines.
    var port: UInt16 {
        for case .tcp(_, let port) in places { return port }
        return 5280
    }

    /// The nodes of an example, by name and address.
    static let nodes = [("n1", "192.0.2.11"), ("n2", "192.0.2.12"), ("n3", "192.0.2.13")]

    /// What has to be done for several nodes.
    static let nodesNote =
        "The nodes n1, n2 and n3 stand for yours. Each has its own name in its holdfast.toml (node = \"n1\"), listens where this "
        + "proxy reaches it (listen, admin), and trusts this proxy's address (trusted-proxy). A request without a known node "
        + "goes to any: a session that is not found there makes its client log in again."
}
