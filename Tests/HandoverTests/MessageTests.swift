import Effort
import Testing

@testable import Handover

/// What the supervisor, workers and peers tell each other.
struct MessageTests {
    private func frame(_ bytes: [UInt8]?) throws -> Frame {
        let result = Samples.read([try #require(bytes)])
        #expect(result.frames.count == 1 && result.isDone)
        return try #require(result.frames.first)
    }

    private func cut(_ frame: Frame, to count: Int) -> Frame {
        Frame(kind: frame.kind, number: frame.number, payload: Array(frame.payload.prefix(count)))
    }

    @Test("what the supervisor says arrives", arguments: Samples.fromSupervisor)
    func supervisor(message: SupervisorMessage) throws {
        let frame = try frame(Samples.writer.frame(message))
        #expect(try SupervisorMessage(frame) == message)
        for count in frame.payload.indices {
            #expect(throws: MessageFault.malformed) { try SupervisorMessage(self.cut(frame, to: count)) }
        }
    }

    @Test("what a worker says arrives", arguments: Samples.fromWorker)
    func worker(message: WorkerMessage) throws {
        let frame = try frame(Samples.writer.frame(message))
        #expect(try WorkerMessage(frame) == message)
        #expect(!frame.carriesDescriptor)
        for count in frame.payload.indices {
            #expect(throws: MessageFault.malformed) { try WorkerMessage(self.cut(frame, to: count)) }
        }
    }

    @Test("what workers say to each other arrives with its number", arguments: Samples.fromPeer)
    func peer(message: PeerMessage) throws {
        let frame = try frame(Samples.writer.frame(message, number: 77))
        #expect(frame.number == 77)
        #expect(try PeerMessage(frame) == message)
        for count in frame.payload.indices {
            #expect(throws: MessageFault.malformed) { try PeerMessage(self.cut(frame, to: count)) }
        }
    }

    @Test("what the next supervisor is left arrives with the number of its descriptor", arguments: Samples.bequests)
    func bequest(part: Bequest) throws {
        let frame = try frame(Samples.writer.frame(part, number: 31))
        #expect(frame.number == 31)
        #expect(try Bequest(frame) == part)
        for count in frame.payload.indices {
            #expect(throws: MessageFault.malformed) { try Bequest(self.cut(frame, to: count)) }
        }
        let hasDescriptor =
            switch part {
            case .listener, .page, .link, .past, .control, .asker: true
            case .program, .worker, .child, .complete: false
            }
        #expect(frame.carriesDescriptor == hasDescriptor)
    }

    @Test("a worker without a process is none", arguments: [UInt32(0), UInt32.max])
    func noProcess(processID: UInt32) throws {
        let record = WorkerRecord(plan: Samples.plan, processID: processID, isRetired: false)
        let frame = try frame(Samples.writer.frame(.worker(record)))
        #expect(throws: MessageFault.malformed) { try Bequest(frame) }
    }

    @Test("a command and its answer arrive", arguments: Samples.commands)
    func command(message: ControlMessage) throws {
        let frame = try frame(Samples.writer.frame(message))
        #expect(try ControlMessage(frame) == message)
        #expect(!frame.carriesDescriptor)
        for count in frame.payload.indices {
            #expect(throws: MessageFault.malformed) { try ControlMessage(self.cut(frame, to: count)) }
        }
    }

    @Test("a part is no command, and a command no part: either may come first on one connection")
    func apart() throws {
        for part in Samples.bequests {
            let frame = try frame(Samples.writer.frame(part))
            #expect(throws: MessageFault.unknownKind(frame.kind)) { try ControlMessage(frame) }
        }
        for command in Samples.commands {
            let frame = try frame(Samples.writer.frame(command))
            #expect(throws: MessageFault.unknownKind(frame.kind)) { try Bequest(frame) }
        }
    }

    @Test("exactly the messages with a descriptor have a kind that says so")
    func descriptors() throws {
        for message in Samples.fromSupervisor {
            let expected =
                switch message {
                case .listener, .page, .receipts, .mailbox, .resolver, .control, .accessLog: true
                case .begin, .started, .serve, .retire, .rules, .refusal, .logLevels, .retired, .gone,
                    .drain:
                    false
                }
            #expect(try frame(Samples.writer.frame(message)).carriesDescriptor == expected)
        }
        for message in Samples.fromPeer {
            let isConnection = if case .connection = message { true } else { false }
            #expect(try frame(Samples.writer.frame(message, number: 1)).carriesDescriptor == isConnection)
        }
    }

    @Test("an unknown kind is named", arguments: [UInt8(0), 0x7F, 0x80, 0xFF])
    func unknownKinds(kind: UInt8) {
        let frame = Frame(kind: kind, payload: [1, 2, 3])
        #expect(throws: MessageFault.unknownKind(kind)) { try SupervisorMessage(frame) }
        #expect(throws: MessageFault.unknownKind(kind)) { try WorkerMessage(frame) }
        #expect(throws: MessageFault.unknownKind(kind)) { try PeerMessage(frame) }
    }

    @Test("fields that a newer program appends are ignored")
    func appended() throws {
        for message in Samples.fromSupervisor {
            var frame = try frame(Samples.writer.frame(message))
            frame.payload += [9, 9]
            #expect(try SupervisorMessage(frame) == message)
        }
        for message in Samples.fromPeer {
            var frame = try frame(Samples.writer.frame(message, number: 1))
            frame.payload += [9, 9]
            #expect(try PeerMessage(frame) == message)
        }
    }

    @Test("a plan for no workers, and a byte that is no yes or no, are malformed")
    func impossible() throws {
        let plan = WorkerPlan(tag: 1, workers: 0, seed: 0, node: "n", listeners: [1], entries: [])
        let frame = try frame(Samples.writer.frame(.begin(plan) as SupervisorMessage))
        #expect(throws: MessageFault.malformed) { try SupervisorMessage(frame) }
        #expect(throws: MessageFault.malformed) { try SupervisorMessage(Frame(kind: 0x82, payload: [0, 0, 0, 1, 2])) }
    }

    @Test("text that is not UTF-8 is malformed")
    func notUTF8() {
        #expect(throws: MessageFault.malformed) { try WorkerMessage(Frame(kind: 1, payload: [0, 0, 0, 1, 0xFF])) }
    }

    @Test("a line that is too long is cut between two characters")
    func longLine() throws {
        let line = "x" + String(repeating: "é", count: WorkerMessage.longestLine)
        let frame = try frame(Samples.writer.frame(.failed(line: line) as WorkerMessage))
        guard case .failed(let arrived) = try WorkerMessage(frame) else {
            Issue.record("another message")
            return
        }
        #expect(line.hasPrefix(arrived))
        #expect(arrived.utf8.count == WorkerMessage.longestLine - 1)
    }

    @Test("random damage traps nothing")
    func damage() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let frames = try Samples.fromSupervisor.map { try frame(Samples.writer.frame($0)) }
        var readable = 0
        for _ in 0..<Effort.cases(20_000, atLeast: 2_000) {
            var frame = frames[generator.below(frames.count)]
            for _ in 0...generator.below(3) where !frame.payload.isEmpty {
                let place = generator.below(frame.payload.count)
                frame.payload[place] = generator.oneIn(2) ? 0xFF : UInt8(truncatingIfNeeded: generator.next())
            }
            if generator.oneIn(4) { frame.kind = UInt8(truncatingIfNeeded: generator.next()) }
            if (try? SupervisorMessage(frame)) != nil { readable += 1 }
            _ = try? WorkerMessage(frame)
        }
        // Damage that no reader survived would prove little.
        #expect(readable > 0, "seed \(seed)")
    }

    @Test("rules of several generations are added up, and none stands there twice")
    func sharedRules() {
        var rules = SharedRules(paths: ["/a"], body: 10, origins: ["https://b"])
        rules.allow(SharedRules(paths: ["/b", "/a"], body: 5, origins: ["https://a", "https://b"]))
        #expect(rules == SharedRules(paths: ["/a", "/b"], body: 10, origins: ["https://b", "https://a"]))
        rules.allow(SharedRules(paths: [], body: 20, origins: []))
        #expect(rules.body == 20 && rules.paths.count == 2)
    }
}
