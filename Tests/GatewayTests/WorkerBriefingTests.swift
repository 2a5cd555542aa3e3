import Handover
import Reactor
import Settings
import Testing

@testable import Gateway

/// What a worker reads before it serves.
@Suite struct WorkerBriefingTests {
    /// The supervisor's side of a link.
    private final class Supervisor {
        private let socket: DescriptorSocket
        /// The worker's side, until it is taken.
        let link: PassedDescriptor

        init() throws {
            let pair = try Descriptor.socketPair()
            socket = DescriptorSocket(pair.first)
            link = PassedDescriptor(pair.second)
        }

        func say(_ message: SupervisorMessage, passing number: Int32? = nil) throws {
            say(try #require(FrameWriter(bound: 1 << 24).frame(message)), passing: number)
        }

        func say(_ bytes: [UInt8], passing number: Int32? = nil) {
            #expect(socket.send(bytes, passing: number.map { [$0] } ?? []) == .sent(bytes.count))
        }

        /// Says all that a worker with one listener needs, up to `started`.
        func brief(_ plan: WorkerPlan = WorkerBriefingTests.plan(listeners: 1)) throws {
            let listener = try Listener(.ipv4(0x7F00_0001, port: 0))
            let page = try SharedPage(count: 16)
            page[3] = 7
            try say(.begin(plan))
            try say(.listener(number: 0), passing: listener.descriptor.number)
            try say(.page(tag: plan.tag, isOwn: true), passing: page.descriptor.number)
            try say(.started)
        }

        /// What the worker has said; nil when it has said nothing.
        func heard() throws -> WorkerMessage? {
            var buffer = ReadBuffer()
            var passed: [Passed] = []
            guard case .bytes = socket.receive(into: &buffer, passed: &passed) else { return nil }
            var reader = FrameReader(bound: 1 << 24)
            buffer.withBytes { reader.receive($0) }
            return try reader.next().map { try WorkerMessage($0) }
        }

        func briefing() throws -> WorkerBriefing { try WorkerBriefingTests.briefing(over: link) }

        /// Why there is no briefing or no place; nil when there are.
        func fault() throws -> WorkerBriefing.Fault? { try WorkerBriefingTests.fault(over: link) }
    }

    private static func briefing(over link: PassedDescriptor) throws -> WorkerBriefing {
        guard let descriptor = link.take() else { throw WorkerBriefing.Fault.ended }
        return try WorkerBriefing(over: descriptor)
    }

    private static func fault(over link: PassedDescriptor) throws -> WorkerBriefing.Fault? {
        do {
            let place = try briefing(over: link).place()
            return place.tag == 7 ? nil : .incomplete
        } catch let fault as WorkerBriefing.Fault {
            return fault
        }
    }

    /// A plan with so many listeners, numbered from 0.
    private static func plan(listeners: UInt32, entries: [WorkerPlan.Entry] = []) -> WorkerPlan {
        WorkerPlan(tag: 7, workers: 3, seed: 11, node: "n1", listeners: Array(0..<listeners), entries: entries)
    }

    @Test func `tag, listeners and page arrive`() throws {
        let supervisor = try Supervisor()
        try supervisor.brief()
        let place = try supervisor.briefing().place()
        #expect(place.tag == 7)
        #expect(place.workers == 3)
        #expect(place.listeners.count == 1)
        #expect(place.news.map(\.message) == [.page(tag: 7, isOwn: true)])
        guard let memory = place.news.first?.descriptor?.take() else { throw WorkerBriefing.Fault.incomplete }
        #expect(try SharedPage(adopting: memory, isWritable: true)[3] == 7)
    }

    @Test func `settings arrive as they were written`() throws {
        let entries = [
            SettingEntry("domain", "example.org", origin: .flag),
            SettingEntry("upstream", "127.0.0.1:1", origin: .file(path: "/etc/a b", line: 3, column: 4)),
            SettingEntry("max-wait", "9", origin: .environment, domain: "x.example"),
            SettingEntry.emptyList("trusted-proxy", origin: .flag),
        ]
        let plan = Self.plan(
            listeners: 1,
            entries: entries.map { entry in
                let origin: WorkerPlan.Origin =
                    switch entry.origin {
                    case .file(let path, let line, let column): .file(path: path, line: line, column: column)
                    case .environment: .environment
                    case .flag: .flag
                    }
                return WorkerPlan.Entry(
                    name: entry.name, value: entry.value, domain: entry.domain, isEmptyList: entry.isEmptyList,
                    origin: origin)
            })
        let supervisor = try Supervisor()
        try supervisor.brief(plan)
        #expect(try supervisor.briefing().entries == entries)
    }

    @Test func `the files that the settings name arrive byte by byte`() throws {
        var plan = Self.plan(listeners: 1)
        plan.files = [.init(path: "/etc/a b", bytes: Array(0...255)), .init(path: "k", bytes: [])]
        let supervisor = try Supervisor()
        try supervisor.brief(plan)
        let files = try supervisor.briefing().files
        #expect(files.paths == ["/etc/a b", "k"])
        #expect(files["/etc/a b"] == Array(0...255))
        #expect(files["k"] == [])
        #expect(files["/etc/passwd"] == nil)
    }

    @Test(arguments: [[UInt32(0), 1], [1, 0]])
    func `listeners have the order of the plan`(order: [UInt32]) throws {
        let supervisor = try Supervisor()
        let listeners = Listeners(
            first: try Listener(.ipv4(0x7F00_0001, port: 0)), second: try Listener(.ipv4(0x7F00_0001, port: 0)))
        let page = try SharedPage(count: 16)
        var plan = Self.plan(listeners: 2)
        plan.listeners = order
        try supervisor.say(.begin(plan))
        try supervisor.say(.page(tag: 7, isOwn: true), passing: page.descriptor.number)
        try supervisor.say(.listener(number: 1), passing: listeners.second.descriptor.number)
        try supervisor.say(.listener(number: 0), passing: listeners.first.descriptor.number)
        try supervisor.say(.started)
        let place = try supervisor.briefing().place()
        #expect(place.listeners.map(\.number) == order)
        for given in place.listeners {
            let wanted = given.number == 0 ? listeners.first.address : listeners.second.address
            guard let descriptor = given.descriptor.take() else { throw WorkerBriefing.Fault.incomplete }
            #expect(try Listener(adopting: descriptor).address == wanted)
        }
    }

    private struct Listeners: ~Copyable {
        let first: Listener
        let second: Listener
    }

    @Test func `what is said of other workers is kept in order, and what comes behind stays in the link`() throws {
        let supervisor = try Supervisor()
        let page = try SharedPage(count: 16)
        let mailbox = try Descriptor.socketPair()
        try supervisor.say(.begin(Self.plan(listeners: 0)))
        try supervisor.say(.page(tag: 5, isOwn: false), passing: page.descriptor.number)
        try supervisor.say(.mailbox(tag: 5), passing: mailbox.first.number)
        try supervisor.say(.page(tag: 7, isOwn: true), passing: page.descriptor.number)
        try supervisor.say(.gone(tag: 4))
        try supervisor.say(.started)
        try supervisor.say(.gone(tag: 5))
        let briefing = try supervisor.briefing()
        let place = try briefing.place()
        #expect(
            place.news.map(\.message) == [
                .page(tag: 5, isOwn: false), .mailbox(tag: 5), .page(tag: 7, isOwn: true), .gone(tag: 4),
            ])
        #expect(place.news.map { $0.descriptor != nil } == [true, true, true, false])
        guard let link = place.supervisor.take() else { throw WorkerBriefing.Fault.ended }
        var buffer = ReadBuffer()
        var passed: [Passed] = []
        let socket = DescriptorSocket(link)
        #expect(socket.receive(into: &buffer, passed: &passed) == .bytes(Frame.overhead + 4))
        // It no longer blocks.
        #expect(socket.receive(into: &buffer, passed: &passed) == .wouldBlock)
    }

    @Test func `a newer supervisor may say more`() throws {
        let supervisor = try Supervisor()
        let page = try SharedPage(count: 16)
        let unknown = try Descriptor.socketPair()
        try supervisor.say(.begin(Self.plan(listeners: 0)))
        supervisor.say([0, 0, 0, 6, 1, 0xF7, 0, 0, 0, 0], passing: unknown.first.number)
        supervisor.say([0, 0, 0, 6, 1, 0x77, 0, 0, 0, 0])
        try supervisor.say(.page(tag: 7, isOwn: true), passing: page.descriptor.number)
        try supervisor.say(.started)
        #expect(try supervisor.fault() == nil)
    }

    @Test func `what is missing is noticed`() throws {
        let withoutListener = try Supervisor()
        try withoutListener.say(.begin(Self.plan(listeners: 1)))
        try withoutListener.say(.started)
        #expect(try withoutListener.fault() == .incomplete)

        let withoutBegin = try Supervisor()
        try withoutBegin.say(.started)
        #expect(try withoutBegin.fault() == .incomplete)

        let withTwoBegins = try Supervisor()
        for _ in 0..<2 { try withTwoBegins.say(.begin(Self.plan(listeners: 0))) }
        #expect(try withTwoBegins.fault() == .incomplete)
    }

    @Test func `nonsense ends it`() throws {
        let supervisor = try Supervisor()
        supervisor.say([0xFF, 0xFF, 0xFF, 0xFF])
        #expect(try supervisor.fault() == .incomplete)
    }

    @Test(arguments: 0..<3)
    func `a supervisor that ends before it has said all is noticed`(said: Int) throws {
        var supervisor: Supervisor? = try Supervisor()
        let link = try #require(supervisor?.link)
        if said > 0 { try supervisor?.say(.begin(Self.plan(listeners: 0))) }
        if said > 1 { supervisor?.say([0, 0]) }
        supervisor = nil
        #expect(try Self.fault(over: link) == .ended)
    }

    @Test func `why a worker cannot serve is said`() throws {
        let supervisor = try Supervisor()
        try supervisor.brief()
        let briefing = try supervisor.briefing()
        briefing.fail("cannot start: no")
        #expect(try supervisor.heard() == .failed(line: "cannot start: no"))
        briefing.fail("again")
        #expect(try supervisor.heard() == nil)
    }
}
