import Primitives
import Reactor
import Testing

@testable import Resolver

/// A worker's link to the resolver processes of its supervisor.
@Suite struct SuppliedResolverTests {
    private static let address = ResolverAnswer.Outcome.addresses([.ipv4(1, port: 0)])

    /// The process's end of a connection.
    private final class Process {
        let near: PassedDescriptor
        private let socket: StreamSocket
        private var reader = ResolverFrameReader()

        init() throws {
            let pair = try Descriptor.socketPair()
            near = PassedDescriptor(pair.first)
            socket = StreamSocket(pair.second)
        }

        func say(_ word: ResolverWord) {
            var bytes: [UInt8] = []
            ResolverFrames.append(word, to: &bytes)
            say(bytes)
        }

        func answer(_ id: UInt64) {
            var bytes: [UInt8] = []
            ResolverFrames.append(
                ResolverReply(id: id, finding: ResolverFinding(SuppliedResolverTests.address, lifetime: 30)), to: &bytes
            )
            say(bytes)
        }

        func say(_ bytes: [UInt8]) { #expect(socket.write(bytes) == .wrote(bytes.count)) }

        /// What was asked since the last time, and whether `noted` came.
        func heard() throws -> (questions: [ResolverQuestion], hasNoted: Bool) {
            var buffer = ReadBuffer()
            guard case .bytes = socket.read(into: &buffer) else { return ([], false) }
            var questions: [ResolverQuestion] = []
            var hasNoted = false
            let bytes = buffer.withBytes { span in span.indices.map { span[$0] } }
            try reader.receive(bytes.span) { payload in
                if let question = ResolverFrames.question(payload) { questions.append(question) }
                if ResolverFrames.word(payload) == .noted { hasNoted = true }
            }
            return (questions, hasNoted)
        }
    }

    private struct Scene: ~Copyable {
        var link: ResolverLink
        var poller: Poller

        init(places: UInt64 = 1) throws {
            poller = try Poller()
            link = ResolverLink(fromSupervisor: (0..<places).map { 77 + $0 })
        }

        mutating func connect(_ process: Process, place: Int = 0, tag: UInt32 = 1) -> [ResolverAnswer] {
            link.connect(process.near.take(), place: place, tag: tag, now: .zero, poller: poller)
        }

        /// A process that may be asked.
        mutating func process(place: Int = 0, tag: UInt32 = 1) throws -> Process {
            let process = try Process()
            #expect(connect(process, place: place, tag: tag) == [])
            process.say(.free)
            #expect(try settle() == [])
            return process
        }

        mutating func ask(_ host: String, id: UInt64 = 1, isStrange: Bool = false) -> ResolverAnswer? {
            link.ask(id: id, .addresses(host: host), isStrange: isStrange, now: .zero, poller: poller)
        }

        /// Handles all that has come.
        mutating func settle(now: MonotonicInstant = .zero) throws -> [ResolverAnswer] {
            var answers: [ResolverAnswer] = []
            while case let count = try poller.wait(timeout: .zero), count > 0 {
                for index in 0..<count { answers += link.handle(poller[index], now: now, poller: poller) }
            }
            return answers
        }
    }

    @Test func `the need is reported once, and questions wait for a process`() throws {
        var scene = try Scene()
        #expect(scene.link.takeReports() == [])
        #expect(scene.ask("a.example", id: 1) == nil)
        #expect(scene.ask("b.example", id: 2) == nil)
        #expect(scene.link.takeReports() == [.needed])
        #expect(scene.link.nextDeadline == MonotonicInstant.zero + ResolverLink.patience)
        let process = try Process()
        #expect(scene.connect(process) == [])
        // A process that is at work does not know the connection yet.
        #expect(try process.heard().questions == [])
        process.say(.free)
        #expect(try scene.settle() == [])
        let first = try #require(try process.heard().questions.first)
        process.answer(first.id)
        #expect(try scene.settle().map(\.id) == [1])
        let second = try #require(try process.heard().questions.first)
        process.answer(second.id)
        #expect(try scene.settle().map(\.id) == [2])
        #expect(scene.link.takeReports() == [] && scene.link.starts == 1 && scene.link.losses == 0)
        #expect(scene.link.processIDs.isEmpty)
    }

    @Test func `a question waits no longer for a process than its patience`() throws {
        var scene = try Scene()
        #expect(scene.ask("a.example") == nil)
        let now = MonotonicInstant.zero + ResolverLink.patience
        #expect(scene.link.handleDeadline(now: now, poller: scene.poller).count == 1)
        #expect(scene.link.openQuestions == 0)
    }

    @Test func `a question that a process did not begin goes to another one`() throws {
        var scene = try Scene(places: 2)
        let processes = [try scene.process(place: 0, tag: 1), try scene.process(place: 1, tag: 2)]
        #expect(scene.ask("a.example") == nil)
        let asked = try processes.map { try $0.heard().questions }
        let one = try #require(asked.firstIndex { !$0.isEmpty })
        processes[one].say(.busy)
        #expect(try scene.settle() == [])
        #expect(try processes[one].heard().hasNoted)
        let question = try #require(try processes[1 - one].heard().questions.first)
        #expect(question == asked[one].first)
        // While both are at work, others wait.
        #expect(scene.ask("b.example", id: 2) == nil)
        #expect(try processes[one].heard().questions == [])
        processes[one].say(.free)
        #expect(try scene.settle() == [])
        let next = try #require(try processes[one].heard().questions.first)
        processes[one].answer(next.id)
        processes[1 - one].answer(question.id)
        #expect(try scene.settle().map(\.id).sorted() == [1, 2])
        #expect(scene.link.losses == 0 && scene.link.takeReports() == [])
    }

    @Test func `a process that ends is reported, and its question asked of the next one`() throws {
        var scene = try Scene()
        var process: Process? = try scene.process(tag: 4)
        #expect(scene.ask("a.example") == nil)
        process = nil
        #expect(try scene.settle() == [])
        #expect(process == nil && scene.link.takeReports() == [.lost(4)] && scene.link.losses == 1)
        let next = try scene.process(tag: 5)
        let question = try #require(try next.heard().questions.first)
        next.answer(question.id)
        #expect(try scene.settle().map(\.outcome) == [Self.address])
    }

    @Test func `a new process takes the place of the old one before its end was seen`() throws {
        var scene = try Scene()
        let old = try scene.process(tag: 4)
        #expect(scene.ask("a.example") == nil)
        #expect(try old.heard().questions.count == 1)
        let new = try scene.process(tag: 5)
        #expect(scene.link.takeReports() == [])
        let question = try #require(try new.heard().questions.first)
        new.answer(question.id)
        #expect(try scene.settle().map(\.outcome) == [Self.address])
    }

    @Test func `a lost connection is reported, and one for an unknown place ignored`() throws {
        var scene = try Scene()
        #expect(scene.link.connect(nil, place: 0, tag: 9, now: .zero, poller: scene.poller) == [])
        #expect(scene.link.takeReports() == [.lost(9)])
        #expect(scene.connect(try Process(), place: 1) == [])
        #expect(scene.link.takeReports() == [] && scene.link.starts == 0)
    }

    @Test func `a process that takes too long is left to its end, and not asked before it answers`() throws {
        var scene = try Scene()
        let process = try scene.process()
        #expect(scene.ask("a.example") == nil)
        let question = try #require(try process.heard().questions.first)
        let now = MonotonicInstant.zero + ResolverLink.patience
        #expect(
            scene.link.handleDeadline(now: now, poller: scene.poller).map(\.outcome)
                == [.failure("the look-up takes too long", isTemporary: true)])
        #expect(scene.ask("b.example", id: 2) == nil)
        #expect(try process.heard().questions == [])
        process.answer(question.id)
        #expect(try scene.settle(now: now) == [])
        #expect(try process.heard().questions.map(\.query) == [.addresses(host: "b.example")])
        #expect(scene.link.losses == 0)
    }

    @Test func `strangers leave two processes to the operator's domains`() throws {
        var scene = try Scene(places: 3)
        let processes = [
            try scene.process(place: 0, tag: 1), try scene.process(place: 1, tag: 2),
            try scene.process(place: 2, tag: 3),
        ]
        for id in 0..<3 as Range<UInt64> { #expect(scene.ask("s\(id).example", id: id, isStrange: true) == nil) }
        #expect(try processes.map { try $0.heard().questions.count } == [1, 0, 0])
        // Another worker's stranger has the process first. This one's still leaves the others alone.
        processes[0].say(.busy)
        #expect(try scene.settle() == [])
        #expect(try processes.map { try $0.heard().questions.count } == [0, 0, 0])
        #expect(scene.ask("own.example", id: 7) == nil)
        #expect(try processes.map { try $0.heard().questions.count } == [0, 0, 1])
        processes[0].say(.free)
        #expect(try scene.settle() == [])
        #expect(try processes[0].heard().questions.map(\.query) == [.addresses(host: "s0.example")])
    }

    @Test func `without a supervisor the processes that are left are used, and questions fail at once without any`()
        throws
    {
        var scene = try Scene()
        var process: Process? = try scene.process()
        #expect(scene.link.endSupply(now: .zero, poller: scene.poller) == [])
        #expect(scene.ask("a.example") == nil)
        #expect(try process?.heard().questions.count == 1)
        process = nil
        let failure = ResolverAnswer.Outcome.failure(
            "no resolver process: the supervisor has ended", isTemporary: true)
        #expect(try scene.settle().map(\.outcome) == [failure])
        #expect(scene.ask("b.example")?.outcome == failure)
        var other = try Scene()
        #expect(other.ask("a.example") == nil)
        #expect(other.link.endSupply(now: .zero, poller: other.poller).map(\.outcome) == [failure])
        #expect(other.link.endSupply(now: .zero, poller: other.poller) == [])
    }

    @Test func `another supervisor is asked for processes if there are any, or else once one is needed`() throws {
        var scene = try Scene()
        let process = try scene.process()
        scene.link.resumeSupply()
        #expect(scene.link.takeReports() == [])
        _ = scene.link.endSupply(now: .zero, poller: scene.poller)
        scene.link.resumeSupply()
        #expect(scene.link.takeReports() == [.needed])
        process.say(.free)
        var other = try Scene()
        _ = other.link.endSupply(now: .zero, poller: other.poller)
        other.link.resumeSupply()
        #expect(other.link.takeReports() == [])
        #expect(other.ask("a.example") == nil)
        #expect(other.link.takeReports() == [.needed])
    }

    @Test func `another supervisor is asked for processes when the last one has left nobody`() throws {
        var scene = try Scene()
        var process: Process? = try scene.process()
        _ = scene.link.endSupply(now: .zero, poller: scene.poller)
        process = nil
        #expect(process == nil)
        #expect(try scene.settle() == [])
        scene.link.resumeSupply()
        #expect(scene.ask("a.example") == nil)
        #expect(scene.link.takeReports().last == .needed)
    }

    @Test(arguments: [[0, 0, 0, 1, 0x82], [0, 0, 0, 1, 0], [0xFF, 0xFF, 0xFF, 0xFF]] as [[UInt8]])
    func `a process that says nonsense is left, and another connection asked for`(_ bytes: [UInt8]) throws {
        var scene = try Scene()
        let process = try scene.process(tag: 6)
        process.say(bytes)
        #expect(try scene.settle() == [])
        #expect(scene.link.takeReports() == [.lost(6)])
    }
}
