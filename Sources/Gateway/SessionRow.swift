import BOSHCore
import FoundationEssentials
import Primitives

/// One session as an operator sees it: a member of `sessions` in the answer of `/sessions`. Members that have no value are
/// left out.
struct SessionRow: Encodable {
    let sid8: String
    let worker: UInt32
    let over: String
    var domain: String?
    var client: String?
    var server: String?
    /// The bare JID that the server has bound.
    var user: String?
    /// The beginning of what the server calls the stream.
    var streamID: String?
    /// `opening`, `open`, `ending` or `ended`.
    let state: String
    var hasLoggedIn: Bool?
    /// Why it has ended.
    var reason: String?
    /// How long it lives, or lived.
    let seconds: Int64
    var endedSecondsAgo: Int64?
    let requests: UInt32
    var heldRequests: Int?
    /// Stanzas that wait for the client, and requests that wait for the server.
    var waitingBytes: Int?
    let stanzasToServer: UInt32
    let stanzasToClient: UInt32

    enum CodingKeys: String, CodingKey {
        case sid8, worker, over, domain, client, server, user, state, reason, seconds, requests
        case streamID = "stream_id8"
        case hasLoggedIn = "logged_in"
        case endedSecondsAgo = "ended_seconds_ago"
        case heldRequests = "held_requests"
        case waitingBytes = "waiting_bytes"
        case stanzasToServer = "stanzas_to_server"
        case stanzasToClient = "stanzas_to_client"
    }
}

/// What operators ask about sessions, whichever door they came through.
extension ClientSides {
    /// The sessions that a filter matches: how many there are, and a row for as many as it shows.
    ///
    /// - Throws: a row cannot be written as JSON.
    func rows(_ filter: SessionFilter) throws -> (count: Int, rows: [String]) {
        var count = 0
        var rows: [String] = []
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func add(_ row: @autoclosure () -> SessionRow) throws {
            count += 1
            guard rows.count < filter.limit else { return }
            rows.append(String(decoding: try encoder.encode(row()), as: UTF8.self))
        }
        if filter.state != .ended {
            try eachLiving { seen in if matches(seen, filter) { try add(row(of: seen)) } }
        }
        if filter.state != .live {
            for end in recent.newestFirst where matches(Seen(end), filter, reason: end.reason.rawValue) {
                try add(row(of: end))
            }
        }
        return (count, rows)
    }

    /// Ends the living sessions of a name. Returns how many there were; more than one only by a rare chance.
    func end(named name: String) -> Int {
        var found: [SessionPlace] = []
        eachLiving { seen in if seen.name == name { found.append(seen.place) } }
        for place in found {
            switch place.side {
            case .bosh: bosh.handle(.endedByOperator, session: place.slot)
            case .webSocket: webSockets.client(at: place.slot).map { webSockets.handle(.endedByOperator, of: $0) }
            case .polling: polling.client(at: place.slot).map { polling.handle(.endedByOperator, of: $0) }
            }
        }
        return found.count
    }

    /// What all sessions have, living or not.
    fileprivate struct Seen {
        let name: String
        let place: SessionPlace
        let client: ClientAddress
        let user: String?
        let record: SessionRecord
    }

    private func eachLiving(_ body: (Seen) throws -> Void) rethrows {
        for driver in bosh.all {
            try body(
                Seen(
                    name: driver.session.id.short, place: SessionPlace(.bosh, slot: driver.slot), client: driver.client,
                    user: user(of: SessionPlace(.bosh, slot: driver.slot), driver.record), record: driver.record))
        }
        for client in webSockets.all where !client.isOver {
            try body(
                Seen(
                    name: client.name, place: SessionPlace(.webSocket, slot: client.token.slot),
                    client: ClientAddress(client.requester.client?.address),
                    user: user(of: SessionPlace(.webSocket, slot: client.token.slot), client.record),
                    record: client.record))
        }
        for client in polling.all where !client.ask({ $0.isClosing }) {
            try body(
                Seen(
                    name: client.id.short, place: SessionPlace(.polling, slot: client.token.slot),
                    client: ClientAddress(client.requester.client?.address),
                    user: user(of: SessionPlace(.polling, slot: client.token.slot), client.record),
                    record: client.record))
        }
    }

    private func matches(_ seen: Seen, _ filter: SessionFilter, reason: String? = nil) -> Bool {
        filter.matches(
            name: seen.name, side: seen.place.side, client: seen.client.address, domain: domain(of: seen.record),
            server: server(of: seen.record), user: seen.user, reason: reason)
    }

    private func row(of seen: Seen) -> SessionRow {
        let state = state(of: seen.place)
        return SessionRow(
            sid8: seen.name, worker: loop.fellows.tag, over: seen.place.side.word, domain: domain(of: seen.record),
            client: seen.client.address?.description, server: server(of: seen.record), user: seen.user,
            streamID: seen.record.streamID.text, state: state.word,
            hasLoggedIn: state.hasLoggedIn, seconds: seen.record.age(now: loop.now).components.seconds,
            requests: seen.record.requests, heldRequests: state.heldRequests, waitingBytes: state.waitingBytes,
            stanzasToServer: seen.record.stanzasUp, stanzasToClient: seen.record.stanzasDown)
    }

    private func row(of end: SessionEnd) -> SessionRow {
        SessionRow(
            sid8: end.name, worker: loop.fellows.tag, over: end.side.word, domain: domain(of: end.record),
            client: end.client.address?.description, server: server(of: end.record), user: end.user,
            streamID: end.record.streamID.text, state: "ended",
            reason: end.reason.rawValue, seconds: end.age.components.seconds,
            endedSecondsAgo: loop.now.elapsed(since: end.at).components.seconds, requests: end.record.requests,
            stanzasToServer: end.record.stanzasUp, stanzasToClient: end.record.stanzasDown)
    }

    private struct LiveState {
        let word: String
        var hasLoggedIn = false
        var heldRequests: Int?
        var waitingBytes = 0
    }

    private func state(of place: SessionPlace) -> LiveState {
        switch place.side {
        case .bosh:
            guard let driver = bosh.driver(at: place.slot) else { break }
            let held = driver.ask { $0.heldBytes }
            let word =
                switch driver.session.phase {
                case .opening: "opening"
                case .open, .restarting: "open"
                case .doomed, .over: "ending"
                }
            return LiveState(
                word: word, hasLoggedIn: driver.ask { $0.hasLoggedIn }, heldRequests: driver.ask { $0.heldCount },
                waitingBytes: held.stanzas + held.requests)
        case .webSocket:
            guard let client = webSockets.client(at: place.slot) else { break }
            let held = client.heldBytes
            return LiveState(
                word: client.ask { $0.phase == .awaitingOpen || $0.phase == .opening } ? "opening" : "open",
                hasLoggedIn: client.ask { $0.hasLoggedIn }, waitingBytes: held.bodies + held.answers)
        case .polling:
            guard let client = polling.client(at: place.slot) else { break }
            let held = client.heldBytes
            return LiveState(
                word: client.ask { $0.phase == .awaitingHeader || $0.phase == .opening } ? "opening" : "open",
                hasLoggedIn: client.ask { $0.hasLoggedIn }, waitingBytes: held.requests + held.stanzas)
        }
        return LiveState(word: "ending")
    }
}

extension ClientSides.Seen {
    fileprivate init(_ end: SessionEnd) {
        self.init(
            name: end.name, place: SessionPlace(end.side, slot: 0), client: end.client, user: end.user,
            record: end.record)
    }
}
