/// All numbers of the statistics. A test fails when `/stats` has a number without a row, and
/// `deploy/lib/statistics-doc` makes docs/statistics.md of the rows, so each is written in this form.
enum MetricTable {
    static let rows: [MetricRow] = program + sessions + doors + servers

    private static let program: [MetricRow] = [
        .init("schema", .state, without: "it is no measurement", help: "The number of the form of this document."),
        .init("version", .information, "build_info", "version", help: "The version of the program."),
        .init("uptime_seconds", .state, "uptime_seconds", help: "How long the oldest living worker has run."),
        .init(
            "process/pid", .state, without: "it is a name, not a measurement",
            help: "The number of the main process: the supervisor's, or the only worker's."),
        .init(
            "process/own_pid", .state, without: "it is a name; workers have theirs below",
            help: "The largest process number of a worker."),
        .init("process/stopping", .state, "stopping", help: "1 while the program ends, otherwise 0."),
        .init("process/own_generation", .state, "generation", help: "The newest generation of workers."),
        .init(
            "process/own_retired", .state, "retired",
            help: "1 while a worker of an earlier generation serves its last sessions, otherwise 0."),
        .init(
            "process/descriptors", .gauge, "descriptors",
            help: "Descriptors of clients' connections and of streams to servers. A worker has some dozens besides."),
        .init(
            "process/descriptor_limit", .gauge, "descriptors_max",
            help:
                "How many descriptors the workers may have open; sessions leave 64 of each worker free, and two for each other worker."
        ),
        .init(
            "process/cpu_seconds", .counter, "process_cpu_seconds_total",
            help: "Processor time of all workers, in user mode and in the kernel."),
        .init(
            "process/resident_bytes", .gauge, "process_resident_memory_bytes",
            help: "Memory of all workers that is in the machine's memory; what they share is counted in each."),
        .init(
            "process/start_time_seconds", .state, "process_start_time_seconds",
            help: "When the youngest living worker was started, in seconds since 1970-01-01 00:00 UTC."),
        .init(
            "supervisor/refusal", .information, without: "it is a text",
            help: "Why the last reload or upgrade was refused; empty when it was not."),
        .init(
            "supervisor/deaths", .counter, "worker_deaths_total",
            help: "Workers that ended while they should have served."),
        .init(
            "supervisor/killed", .counter, "workers_killed_total",
            help: "Workers among these that were ended because their loop stood still or they did not begin to serve."),
        .init(
            "supervisor/resolver_deaths", .counter, "resolver_deaths_total",
            help: "Processes that look up names and have ended."),
        .init("supervisor/reloads", .counter, "reloads_total", help: "Configurations that were read anew and hold."),
        .init(
            "supervisor/reloads_failed", .counter, "reloads_failed_total",
            help: "Configurations that were read anew and could not be used."),
        .init("supervisor/upgrades", .counter, "upgrades_total", help: "Programs that have taken the place of one."),
        .init(
            "supervisor/upgrades_failed", .counter, "upgrades_failed_total",
            help: "Programs that could not take the place of one."),
        .init(
            "supervisor/adopted", .counter, "workers_adopted_total",
            help: "Workers that were taken over from a supervisor that had died."),
        .init("memory/limit", .gauge, "memory_limit_bytes", help: "How many bytes all peers together may take."),
        .init("memory/held", .gauge, "memory_held_bytes", help: "How many bytes all peers together take."),
        .init(
            "memory/pressure", .state, "memory_pressure",
            help: "0, or 1 when a worker is above the first mark of its memory account, 2 above the second."),
        .init(
            "memory/*", .gauge, "memory_kind_bytes", "kind", help: "How many bytes peers take, by what they are for."),
        .init(
            "latency/turn", .histogram, "loop_turn_seconds",
            help: "How long turns of the event loop take. An event that comes during a turn waits for its end."),
        .init(
            "latency/forward", .histogram, "forward_latency_seconds",
            help:
                "From the turn that reads bytes of a server to the end of the turn that passes them on to a held request or a WebSocket."
        ),
        .init(
            "latency/fetch", .histogram, "fetch_wait_seconds",
            help: "How long stanzas waited in Holdfast for the next request of their client over BOSH."),
        .init(
            "latency/hold", .histogram, "hold_seconds",
            help: "How long requests over BOSH waited for their answer; 0 for those that were answered at once."),
        .init(
            "latency/login", .histogram, "login_seconds",
            help: "From the beginning of a session to the server's word that its client has logged in."),
        .init(
            "capacity/*/used", .gauge, "limit_used", "limit",
            help:
                "How far a limit for all clients together is used up, in its own unit. Of servers the one with the most streams counts, in each worker."
        ),
        .init("capacity/*/limit", .gauge, "limit_max", "limit", help: "The limit that is used up so far."),
        .init(
            "limits/*", .counter, "limit_reached_total", "limit", help: "How often a limit was reached, by its setting."
        ),
    ]

    private static let sessions: [MetricRow] = [
        .init("sessions/now", .gauge, "sessions", help: "Sessions over BOSH, WebSocket and HTTP polling."),
        .init(
            "sessions/ever", .counter, "door_sessions_created_total{door=bosh}",
            help: "Sessions that were begun, by door."),
        .init("sessions/opening", .gauge, "sessions_state{state=opening}", help: "Sessions by what they wait for."),
        .init(
            "sessions/not_logged_in", .gauge, "sessions_state{state=not-logged-in}",
            help: "Sessions by what they wait for."),
        .init("sessions/addresses", .gauge, "client_addresses", help: "Client addresses that hold something."),
        .init("sessions/held_requests", .gauge, "held_requests", help: "Requests over BOSH that wait for an answer."),
        .init(
            "sessions/ended/*", .counter, "sessions_ended_total", "reason", help: "Sessions that ended, by the reason."),
        .init(
            "sessions/refused/*", .counter, "sessions_refused_total", "condition",
            help: "Sessions over BOSH that were refused, by the condition on the wire."),
        .init(
            "sessions/refused_without_descriptor", .counter, "sessions_refused_without_descriptor_total",
            help: "Clients of all doors that got no session because no descriptor was left."),
        .init(
            "sessions/login_failures/*", .counter, "login_failures_total", "condition",
            help: "Log-ins that servers refused, by the condition of SASL."),
        .init(
            "sessions/unknown_sid", .counter, "unknown_sid_total",
            help:
                "Requests for sessions that are not known here; many of them show a balancer that does not keep clients."
        ),
        .init("sessions/other_node", .counter, "other_node_total", help: "Requests for sessions of another machine."),
        .init(
            "sessions/aborted_polls", .counter, "aborted_polls_total",
            help: "Requests over BOSH whose client went away before the answer."),
        .init(
            "sessions/repeats", .counter, "repeated_requests_total",
            help: "Requests over BOSH that were sent again and got the kept answer."),
        .init(
            "sessions/spare_response_bytes", .gauge, "spare_response_bytes",
            help: "Bytes of answers that are kept beyond those that must be kept."),
        .init(
            "sessions/responses_evicted", .counter, "responses_evicted_total",
            help: "Answers that were given up because all sessions kept too many."),
    ]

    private static let doors: [MetricRow] = [
        .init("http/connections_now", .gauge, "connections", help: "Connections of clients over HTTP."),
        .init("http/connections_ever", .counter, "connections_accepted_total", help: "Connections that were accepted."),
        .init(
            "http/connections_turned_away", .counter, "connections_turned_away_total",
            help:
                "Connections that were closed at once, because their address had too many or no descriptor was left."),
        .init(
            "http/connections_without_descriptor", .counter, "connections_without_descriptor_total",
            help: "Connections among these that were closed because no descriptor was left."),
        .init(
            "http/connections_untrusted", .counter, "connections_untrusted_total",
            help: "Connections to a listener for proxies whose peer is not trusted."),
        .init("http/requests", .counter, "http_requests_total", help: "Requests over HTTP."),
        .init(
            "http/requests_refused", .counter, "http_requests_refused_total",
            help: "Requests that were refused as HTTP."),
        .init(
            "http/operators_refused", .counter, "operators_refused_total",
            help: "Requests on the admin listener that did not show the token of admin-token-file."),
        .init(
            "http/unknown_path", .counter, "http_unknown_path_total", help: "Requests for paths where nothing is."),
        .init(
            "http/answers_untaken", .counter, "answers_untaken_total",
            help: "Answers that nobody took, because the connection had ended."),
        .init(
            "access_log/written", .counter, "access_log_lines_total{outcome=written}",
            help: "Lines of the access log, by whether they found room."),
        .init(
            "access_log/dropped", .counter, "access_log_lines_total{outcome=dropped}",
            help: "Lines of the access log, by whether they found room."),
        .init("http/bytes_in", .counter, "client_bytes_total{direction=in}", help: "Bytes from and to clients."),
        .init("http/bytes_out", .counter, "client_bytes_total{direction=out}", help: "Bytes from and to clients."),
        .init(
            "http/moved_in", .counter, "connection_moves_total{direction=in}",
            help: "Connections that went from one worker to another."),
        .init(
            "http/moved_out", .counter, "connection_moves_total{direction=out}",
            help: "Connections that went from one worker to another."),
        .init(
            "http/moves_refused", .counter, "connection_moves_refused_total",
            help: "Connections that no other worker took."),
        .init(
            "websockets/now", .gauge, "door_sessions{door=websocket}",
            help: "Sessions by door; the others are over BOSH."),
        .init(
            "websockets/ever", .counter, "door_sessions_created_total{door=websocket}",
            help: "Sessions that were begun, by door."),
        .init(
            "websockets/refused/*", .counter, "websockets_refused_total", "reason",
            help: "Handshakes for a WebSocket that were refused, by the reason."),
        .init(
            "websockets/closed/*", .counter, "websockets_closed_total", "code",
            help: "WebSockets that Holdfast closed, by the code."),
        .init(
            "websockets/closed_by_client", .counter, "websockets_closed_by_client_total",
            help: "WebSockets that their clients closed without <close/>."),
        .init("websockets/pings", .counter, "websocket_pings_total", help: "Pings that were sent to clients."),
        .init(
            "websockets/pongs", .counter, "websocket_pongs_total",
            help: "Answers to pings; one may answer several, so far fewer mean clients or proxies that do not answer."),
        .init(
            "websockets/in_pieces", .counter, "websocket_messages_in_pieces_total",
            help: "Messages of clients that came in several frames."),
        .init(
            "websockets/restarts", .counter, "door_restarts_total{door=websocket}",
            help: "Streams that clients began again, by door."),
        .init(
            "websockets/dropped_for_resumption", .counter, "door_dropped_for_resumption_total{door=websocket}",
            help: "Streams that were dropped so that the server keeps them for a resumption, by door."),
        .init(
            "polling/now", .gauge, "door_sessions{door=polling}", help: "Sessions by door; the others are over BOSH."),
        .init(
            "polling/ever", .counter, "door_sessions_created_total{door=polling}",
            help: "Sessions that were begun, by door."),
        .init("polling/requests", .counter, "polling_requests_total", help: "Requests over HTTP polling."),
        .init(
            "polling/repeats", .counter, "polling_repeats_total",
            help: "Requests over HTTP polling that repeated the last one of their session."),
        .init(
            "polling/errors/*", .counter, "polling_errors_total", "reason",
            help: "Answers over HTTP polling with an error in place of the identifier."),
        .init(
            "polling/restarts", .counter, "door_restarts_total{door=polling}",
            help: "Streams that clients began again, by door."),
        .init(
            "polling/dropped_for_resumption", .counter, "door_dropped_for_resumption_total{door=polling}",
            help: "Streams that were dropped so that the server keeps them for a resumption, by door."),
    ]

    private static let servers: [MetricRow] = [
        .init(
            "upstream/streams_now", .gauge, "upstream_streams",
            help: "Streams to servers, those that are being opened included."),
        .init("upstream/connects", .counter, "upstream_connects_total", help: "Connections to servers that were made."),
        .init(
            "upstream/failures/*", .counter, "upstream_failures_total", "reason",
            help:
                "Streams that failed, and searches for a server; one for each server that was tried in vain. tls-… says what was wrong with TLS."
        ),
        .init(
            "upstream/addresses_failed", .counter, "upstream_addresses_failed_total",
            help:
                "Addresses of servers to which no connection was made; the stream may have been opened at another one."
        ),
        .init(
            "upstream/lookups_failed", .counter, "upstream_lookups_failed_total",
            help: "Names of servers that could not be looked up; another one may have led to a server."),
        .init("upstream/bytes_in", .counter, "upstream_bytes_total{direction=in}", help: "Bytes from and to servers."),
        .init(
            "upstream/bytes_out", .counter, "upstream_bytes_total{direction=out}", help: "Bytes from and to servers."),
        .init(
            "upstream/stanzas_in", .counter, "stanzas_total{direction=in}",
            help: "Stanzas from servers (in) and to servers (out)."),
        .init(
            "upstream/stanzas_out", .counter, "stanzas_total{direction=out}",
            help: "Stanzas from servers (in) and to servers (out)."),
        .init(
            "upstream/stanzas_returned", .counter, "stanzas_returned_total",
            help: "Stanzas that went back to their senders because no client fetched them."),
        .init(
            "upstream/breakers_open", .gauge, "breakers_open",
            help: "Servers that are left alone or probed, added over domains and workers."),
        .init("sites/*/streams_now", .gauge, "domain_streams", "domain", help: "Open streams, by domain."),
        .init(
            "sites/*/streams_opened", .counter, "domain_streams_opened_total", "domain",
            help: "Streams that were opened, by domain."),
        .init(
            "sites/*/connects", .counter, "domain_connects_total", "domain",
            help: "Connections that were made, by domain."),
        .init(
            "sites/*/handshakes_resumed", .counter, "domain_handshakes_resumed_total", "domain",
            help: "Handshakes that resumed an earlier TLS session, by domain."),
        .init(
            "sites/*/failures/*", .counter, "domain_failures_total", "domain", "reason",
            help: "Streams that failed, by domain; the sum of all domains is the upstream's."),
        .init(
            "sites/*/connect_time", .histogram, "domain_connect_seconds", "domain",
            help: "How long connecting to a server took."),
        .init(
            "sites/*/handshake_time", .histogram, "domain_handshake_seconds", "domain",
            help: "How long TLS handshakes took."),
        .init(
            "sites/*/open_time", .histogram, "domain_open_seconds", "domain",
            help: "From the connection to the features of the stream, TLS included."),
        .init("servers/*/streams_now", .gauge, "server_streams", "server", help: "Open streams, by server."),
        .init(
            "servers/*/streams_opened", .counter, "server_streams_opened_total", "server",
            help: "Streams that were opened, by server."),
        .init(
            "servers/*/connects", .counter, "server_connects_total", "server",
            help: "Connections that were made, by server."),
        .init(
            "servers/*/failures/*", .counter, "server_failures_total", "server", "reason",
            help: "Streams that failed, by server; a stream that asked no server is in none of them."),
        .init(
            "servers/*/connect_time", .histogram, "server_connect_seconds", "server",
            help: "How long connecting took, by server."),
        .init(
            "servers/*/breaker", .state, "server_breaker", "server",
            help:
                "0 when the server is used, 1 while one stream probes it, 2 when it is left alone; the worst of all domains and workers."
        ),
        .init(
            "servers/*/left_alone_seconds", .state, "server_left_alone_seconds", "server",
            help: "For how long the server is still left alone."),
        .init(
            "workers/*/pid", .state, without: "it is a name, not a measurement",
            help: "The number of the worker's process."),
        .init("workers/*/generation", .state, "worker_generation", "worker", help: "The generation of the worker."),
        .init(
            "workers/*/retired", .state, "worker_retired", "worker",
            help: "1 for a worker that takes no new sessions, otherwise 0."),
        .init("workers/*/sessions", .gauge, "worker_sessions", "worker", help: "Sessions of the worker."),
        .init(
            "workers/*/connections", .gauge, "worker_connections", "worker",
            help: "Connections of the worker's clients."),
        .init("workers/*/streams", .gauge, "worker_streams", "worker", help: "Streams of the worker."),
        .init(
            "workers/*/requests", .counter, "worker_requests_total", "worker",
            help: "Requests that the worker has taken."),
        .init(
            "workers/*/moved_in", .counter, "worker_moved_in_total", "worker",
            help: "Connections that came from other workers."),
        .init(
            "workers/*/moved_out", .counter, "worker_moved_out_total", "worker",
            help: "Connections that went to other workers."),
        .init(
            "workers/*/held_bytes", .gauge, "worker_held_bytes", "worker",
            help: "How many bytes the worker's peers take."),
    ]

    // MARK: Which row belongs to a path

    /// A row, and the rows whose paths go on from its path.
    private struct Node: Sendable {
        var children: [String: Node] = [:]
        /// What goes on with any name; one or none.
        var any: [Node] = []
        var row: Int?

        mutating func insert(_ path: ArraySlice<String>, row: Int) {
            guard let name = path.first else {
                self.row = row
                return
            }
            if name == "*" {
                if any.isEmpty { any = [Node()] }
                any[0].insert(path.dropFirst(), row: row)
            } else {
                children[name, default: Node()].insert(path.dropFirst(), row: row)
            }
        }
    }

    private static let root: Node = {
        var root = Node()
        for (index, row) in rows.enumerated() { root.insert(row.path[...], row: index) }
        return root
    }()

    /// The row of a path, what stands in the place of each star, and what follows the row's path: a part of a
    /// distribution. Nil for a path without a row.
    static func match(_ path: [String]) -> (row: Int, values: [String], rest: ArraySlice<String>)? {
        var node = root
        var values: [String] = []
        for (index, name) in path.enumerated() {
            if let next = node.children[name] {
                node = next
            } else if let next = node.any.first {
                values.append(name)
                node = next
            } else {
                guard let row = node.row, rows[row].kind == .histogram else { return nil }
                return (row, values, path[index...])
            }
        }
        return node.row.map { ($0, values, []) }
    }
}
