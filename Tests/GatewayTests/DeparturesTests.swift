import Primitives
import Reactor
import Settings
import Testing

@testable import Gateway

/// The requests with which connections leave.
@Suite struct DeparturesTests {
    private let rules: ClientRules

    init() throws {
        rules = ClientRules(
            try Settings.resolve(
                entries: [
                    SettingEntry("domain", "example.org", origin: .environment),
                    SettingEntry("upstream", "127.0.0.1:5222", origin: .environment),
                ]))
    }

    @Test("a departure is found by its connection, and by no other one of its slot")
    func found() throws {
        var departures = Departures()
        let first = try departure(slot: 2), other = try departure(slot: 0),
            later = try departure(slot: 2, generation: 1)
        #expect(departures[first.connection] == nil)
        departures.insert(first)
        departures.insert(other)
        #expect(departures.count == 2)
        #expect(departures[first.connection] === first && departures[other.connection] === other)
        #expect(departures[later.connection] == nil)
        #expect(departures[try departure(slot: 1).connection] == nil)
        #expect(departures[try departure(slot: 3).connection] == nil)
    }

    @Test("what was removed is found no more, and what was never there is not removed")
    func removed() throws {
        var departures = Departures()
        let first = try departure(slot: 2), later = try departure(slot: 2, generation: 1)
        departures.remove(first)
        departures.insert(first)
        departures.remove(later)
        departures.remove(try departure(slot: 9))
        #expect(departures.count == 1 && departures[first.connection] === first)
        departures.remove(first)
        departures.remove(first)
        #expect(departures.count == 0 && departures[first.connection] == nil)
    }

    @Test("a later connection of a slot takes the place of an earlier one, and is counted once")
    func replaced() throws {
        var departures = Departures()
        let first = try departure(slot: 2), later = try departure(slot: 2, generation: 1)
        departures.insert(first)
        departures.insert(later)
        #expect(departures.count == 1 && departures[later.connection] === later && departures[first.connection] == nil)
        departures.remove(first)
        #expect(departures.count == 1)
        departures.remove(later)
        #expect(departures.count == 0)
    }

    private func departure(slot: UInt32, generation: UInt32 = 0) throws -> Departure {
        let pair = try Descriptor.socketPair()
        let connection = ClientConnection(
            token: Token(.client, slot: slot, generation: generation),
            origin: .init(role: .bosh, door: 0, isFromProxy: false, expectsProxyHeader: false), peer: .unix(""),
            socket: StreamSocket(pair.first), rules: rules.http,
            now: MonotonicInstant(nanoseconds: 0))
        return Departure(connection, to: .byOther(7), now: MonotonicInstant(nanoseconds: 0))
    }
}
