import Effort
import Primitives

@testable import Handover

/// Messages for tests: one of each kind, and random envelopes.
enum Samples {
    static let envelope = Envelope(
        purpose: .session(tag: 7), listener: 2,
        peer: .ipv6(0x2001_0DB8_0000_0000_0000_0000_0000_0001, port: 40_000, scope: 3), isClientUnknown: true,
        isFromProxy: true, input: Array("POST / HTTP/1.1\r\n\r\n".utf8) + [0, 255, 10])

    static let plan = WorkerPlan(
        tag: 41, workers: 4, seed: 5, node: "a1", listeners: [3, 0, .max],
        rules: SharedRules(paths: ["/http-bind", "/b"], body: 70_000, origins: ["https://a.example"]),
        entries: [
            .init(name: "domain", value: "example.org", origin: .flag),
            .init(name: "max-wait", value: "50", origin: .environment),
            .init(name: "upstream", value: "", isEmptyList: true, origin: .file(path: "/étc", line: 3, column: 1)),
            .init(
                name: "upstream", value: "127.0.0.1:5222", domain: "b.example",
                origin: .file(path: "h", line: 70_000, column: 256)),
            .init(name: "", value: "", domain: "", origin: .flag),
        ],
        files: [
            .init(path: "/étc/ca.pem", bytes: Array("-----BEGIN".utf8) + [0, 255, 10]), .init(path: "", bytes: []),
        ])

    static let fromSupervisor: [SupervisorMessage] = [
        .begin(plan), .begin(WorkerPlan(tag: 0, workers: 1, seed: 5, node: "", listeners: [], entries: [])),
        .listener(number: 5), .control, .serve, .retire(leaving: []), .retire(leaving: [1, 5]), .rules(SharedRules()),
        .refusal(""), .refusal("f:1:1: é\nb"), .logLevels("info clients=debug"), .logLevels(""), .accessLog,
        .rules(SharedRules(paths: ["/é"], body: .max, origins: ["", "x"])),
        .page(tag: 9, isOwn: true), .page(tag: .max, isOwn: false), .receipts(tag: 11),
        .mailbox(tag: 12), .started,
        .retired(tag: 1), .gone(tag: 2), .drain, .resolver(place: 5, tag: .max),
    ]

    static let fromWorker: [WorkerMessage] = [
        .ready(announcement: "holdfast: listening on 127.0.0.1:5280"), .ready(announcement: ""),
        .failed(line: "cannot listen on '…'"), .draining, .drained, .retired, .needsResolvers,
        .lostResolver(tag: 0x0102_0304),
    ]

    static let record = WorkerRecord(plan: plan, processID: 4_711, isRetired: true, fellows: [1, 3])

    static let bequests: [Bequest] = [
        .program(version: "0.2.0", nextTag: 9), .worker(record),
        .worker(WorkerRecord(plan: plan, processID: 1, isRetired: false)),
        .listener(number: 2, address: "unix:/run/é"), .page(tag: 4), .link(tag: .max), .past, .control, .asker,
        .child(processID: 12), .complete,
    ]

    static let commands: [ControlMessage] = [
        .reload, .upgrade, .takeOver(processID: 5), .done(line: "the new configuration holds"), .done(line: ""),
        .refused(lines: "a\nb"), .running(processID: 77), .log(levels: ""), .reopen, .log(levels: "info clients=é"),
    ]

    static let fromPeer: [PeerMessage] = [
        .connection(envelope), .refused, .question(OperatorQuestion(id: 0x0102_0304, kind: .list, text: "over=bosh&é")),
        .question(OperatorQuestion(id: 0, kind: .end, text: "")),
        .answer(OperatorAnswer(id: .max, count: 70_000, rows: [#"{"a":"é"}"#, ""])),
        .answer(OperatorAnswer(id: 1, count: 0)),
    ]

    /// A writer and a reader whose bound no sample reaches.
    static let bound = 1 << 20
    static let writer = FrameWriter(bound: bound)

    static func randomEnvelope(_ generator: inout SeededGenerator) -> Envelope {
        func bytes(_ most: Int) -> [UInt8] {
            (0..<generator.below(most + 1)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        }
        let port = UInt16(truncatingIfNeeded: generator.next())
        let peers: [Envelope.Peer] = [
            .unnamed, .ipv4(UInt32(truncatingIfNeeded: generator.next()), port: port),
            .ipv6(
                UInt128(generator.next()) << 64 | UInt128(generator.next()), port: port,
                scope: UInt32(truncatingIfNeeded: generator.next())),
        ]
        return Envelope(
            purpose: [.creation, .anything, .session(tag: UInt32(truncatingIfNeeded: generator.next()))][
                generator.below(3)],
            listener: UInt32(generator.below(66)), peer: peers[generator.below(3)], isForOperators: generator.oneIn(2),
            isClientUnknown: generator.oneIn(2), isFromProxy: generator.oneIn(2),
            scheme: Envelope.Scheme.allCases[generator.below(3)],
            silence: UInt32(truncatingIfNeeded: generator.next()), input: bytes(340))
    }

    /// Reads all frames of a stream that comes in pieces, and what stops the reading.
    static func read(_ pieces: [[UInt8]], bound: Int = bound) -> (frames: [Frame], fault: FrameFault?, isDone: Bool) {
        var reader = FrameReader(bound: bound)
        var frames: [Frame] = []
        for piece in pieces {
            reader.receive(piece.span)
            do throws(FrameFault) {
                while let frame = try reader.next() { frames.append(frame) }
            } catch {
                return (frames, error, reader.isBetweenFrames)
            }
        }
        return (frames, nil, reader.isBetweenFrames)
    }
}
