import BOSHCore
import FoundationEssentials
import HTTPWire

extension Worker {
    /// Health and statistics, on a listener of their own.
    func serveAdmin(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        let response: HTTPResponse
        switch request.head.method {
        case .get, .head:
            response = adminResource(request.head.path)
        case .unknown:
            response = HTTPResponse(status: .notImplemented)
        case .post, .options, .put, .delete, .patch, .trace, .connect:
            response = HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD")])
        }
        respond(to: request.exchange, on: connection, response)
    }

    private func adminResource(_ path: String) -> HTTPResponse {
        switch path {
        case "/healthz":
            // That it is answered at all says that the loop turns.
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("ok\n".utf8))
        case "/readyz":
            if case .draining = stopping {
                return HTTPResponse(status: .serviceUnavailable, contentType: .plain, body: Array("stopping\n".utf8))
            }
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("ready\n".utf8))
        case "/stats":
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            guard let json = try? encoder.encode(Statistics(of: self)) else {
                return HTTPResponse(status: .internalServerError)
            }
            return HTTPResponse(status: .ok, contentType: .json, body: Array(json) + [0x0A])
        default:
            return HTTPResponse(
                status: .notFound, contentType: .plain, body: Array("/healthz /readyz /stats\n".utf8))
        }
    }
}

/// What `/stats` shows. Names are stable; new ones may be added.
struct Statistics: Encodable {
    struct Sessions: Encodable {
        let now: Int
        let ever: UInt64
        let opening: Int
        let held_requests: Int
        let ended: [String: UInt64]
        let refused: [String: UInt64]
        let unknown_sid: UInt64
    }

    struct HTTP: Encodable {
        let connections_now: Int
        let connections_ever: UInt64
        let connections_turned_away: UInt64
        let requests: UInt64
        let requests_refused: UInt64
        let bytes_in: UInt64
        let bytes_out: UInt64
    }

    struct Upstream: Encodable {
        let streams_now: Int
        let connects: UInt64
        let failures: [String: UInt64]
        let bytes_in: UInt64
        let bytes_out: UInt64
        let stanzas_in: UInt64
        let stanzas_out: UInt64
    }

    let schema = 1
    let version: String
    let uptime_seconds: Int64
    let sessions: Sessions
    let http: HTTP
    let upstream: Upstream

    private enum CodingKeys: CodingKey {
        case schema, version, uptime_seconds, sessions, http, upstream
    }

    init(of worker: Worker) {
        let counters = worker.counters
        var held = 0
        var opening = 0
        for driver in worker.sessions {
            guard let driver else { continue }
            held += driver.session.heldCount
            if driver.session.phase == .opening { opening += 1 }
        }
        version = Version.text
        uptime_seconds = worker.now.elapsed(since: worker.startedAt).components.seconds
        sessions = Sessions(
            now: worker.sessionTable.count, ever: counters.sessionsEver, opening: opening, held_requests: held,
            ended: Self.named(counters.sessionEnds), refused: Self.named(counters.sessionsRefused),
            unknown_sid: counters.unknownSessions)
        http = HTTP(
            connections_now: worker.connections.count, connections_ever: counters.connectionsEver,
            connections_turned_away: counters.connectionsTurnedAway, requests: counters.requests,
            requests_refused: counters.requestsRefused, bytes_in: counters.bytesFromClients,
            bytes_out: counters.bytesToClients)
        upstream = Upstream(
            streams_now: worker.links.count, connects: counters.upstreamConnects, failures: counters.upstreamFailures,
            bytes_in: counters.bytesFromUpstream, bytes_out: counters.bytesToUpstream,
            stanzas_in: counters.stanzasToClients, stanzas_out: counters.stanzasToUpstream)
    }

    /// Every reason appears, those that never occurred with zero, so that a graph can be drawn from the first day.
    private static func named<Reason: RawRepresentable<String> & CaseIterable & Hashable>(
        _ counts: [Reason: UInt64]
    ) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: Reason.allCases.map { ($0.rawValue, counts[$0] ?? 0) })
    }
}
