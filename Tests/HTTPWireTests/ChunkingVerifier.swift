import Effort
import Testing

@testable import HTTPWire

/// The result of some bytes on a connection.
struct Reading: Equatable {
    var events: [HTTPEvent] = []
    var output: [UInt8] = []
    var phase = HTTPConnection.Phase.idle
    var closes = false

    var requests: [HTTPRequest] {
        events.compactMap { event in
            if case .request(let request) = event { request } else { nil }
        }
    }

    var faults: [HTTPFault] {
        events.compactMap { event in
            if case .refused(let fault) = event { fault } else { nil }
        }
    }

    var text: String { String(decoding: output, as: UTF8.self) }
}

/// Feeds the same bytes to a connection whole, byte by byte and split at every position, and compares the outcomes. The
/// comparison leaves out `100 Continue`: whether it is needed depends on what has arrived.
struct ChunkingVerifier {
    var limits = HTTPLimits()
    var crossOrigin = CrossOriginPolicy.off
    var captures = CapturedField.none
    var capturesScheme = false
    /// Whether each request is answered at once; otherwise all are answered at the end, the last one first.
    var answersAtOnce = true

    /// The outcome for `bytes`, which is the same however they arrive.
    func verify(
        _ bytes: [UInt8], stride step: Int = 1, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Reading {
        let whole = read(bytes, splits: [])
        let single = read(bytes, splits: Array(bytes.indices.dropFirst()))
        #expect(single == whole, comment, sourceLocation: sourceLocation)
        // The run byte by byte has already split at every position. With a lower effort, some of the single splits are
        // left out.
        let splits = Effort.cases(bytes.count / step, atLeast: 8)
        for split in stride(from: 1, to: bytes.count, by: max(bytes.count / splits, step)) {
            let halves = read(bytes, splits: [split])
            guard halves != whole else { continue }
            Issue.record("split at \(split): \(halves) is not \(whole)", sourceLocation: sourceLocation)
            break
        }
        return whole
    }

    func verify(
        _ text: String, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Reading {
        verify(Array(text.utf8), comment, sourceLocation: sourceLocation)
    }

    /// One run; `splits` are ascending positions at which a new input begins.
    func read(_ bytes: [UInt8], splits: [Int]) -> Reading {
        var connection = HTTPConnection(
            limits: limits, crossOrigin: crossOrigin, captures: captures, capturesScheme: capturesScheme)
        var reading = Reading()
        var start = 0
        for end in splits + [bytes.count] {
            feed(Array(bytes[start..<end]), to: &connection, &reading)
            start = end
        }
        for exchange in connection.openExchanges.reversed() { answer(exchange, &connection) }
        connection.takeOutput(into: &reading.output)
        reading.output = Self.withoutInterim(reading.output)
        reading.phase = connection.phase
        reading.closes = connection.closesWhenDrained
        return reading
    }

    private func feed(_ input: [UInt8], to connection: inout HTTPConnection, _ reading: inout Reading) {
        var offset = 0
        repeat {
            while let event = connection.next(input.span, offset: &offset) {
                if event != .continueExpected { reading.events.append(event) }
                if answersAtOnce, case .request(let request) = event { answer(request.exchange, &connection) }
            }
            // at the limit of pipelining: make room and go on
            guard offset < input.count, let oldest = connection.openExchanges.first else { break }
            answer(oldest, &connection)
        } while true
        #expect(offset == input.count)
        connection.takeOutput(into: &reading.output)
    }

    private func answer(_ exchange: UInt64, _ connection: inout HTTPConnection) {
        let answered = connection.respond(
            to: exchange, with: HTTPResponse(status: .ok, body: Array("answer \(exchange)".utf8)))
        #expect(answered)
    }

    private static func withoutInterim(_ output: [UInt8]) -> [UInt8] {
        let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        var rest = output[...]
        var result: [UInt8] = []
        while let first = rest.first {
            if rest.starts(with: interim) {
                rest = rest.dropFirst(interim.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }
}

extension HTTPConnection {
    /// A connection with rules of its own.
    init(
        limits: HTTPLimits, crossOrigin: CrossOriginPolicy = .off, captures: CapturedField = .none,
        capturesScheme: Bool = false
    ) {
        self.init(
            rules: HTTPRules(
                limits: limits, crossOrigin: crossOrigin, captures: captures, capturesScheme: capturesScheme))
    }

    /// Reads all of `text` and returns the events.
    mutating func feed(_ text: String) -> [HTTPEvent] {
        let bytes = Array(text.utf8)
        var offset = 0
        var events: [HTTPEvent] = []
        while let event = next(bytes.span, offset: &offset) { events.append(event) }
        return events
    }

    /// Takes the output and returns it as text.
    mutating func takeText() -> String {
        var bytes: [UInt8] = []
        takeOutput(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Answers with `200` and this body.
    @discardableResult
    mutating func answer(_ exchange: UInt64, _ body: String = "") -> Bool {
        respond(to: exchange, with: HTTPResponse(status: .ok, body: Array(body.utf8)))
    }
}

extension String {
    /// The bodies of the answers in this output, for outputs whose answers all carry `Content-Length`.
    var answerBodies: [String] {
        var bodies: [String] = []
        var rest = Substring(self)
        while let headEnd = rest.range(of: "\r\n\r\n"), let field = rest.range(of: "Content-Length: ") {
            let digits = rest[field.upperBound...].prefix { $0.isNumber }
            let body = rest[headEnd.upperBound...].prefix(Int(digits) ?? 0)
            bodies.append(String(body))
            rest = rest[body.endIndex...]
        }
        return bodies
    }
}

extension Substring {
    /// The first place of `text`; `\r\n` is one character here, so this goes by UTF-8.
    func range(of text: String) -> Range<Index>? {
        let pattern = Array(text.utf8)
        var index = startIndex
        while index < endIndex {
            if utf8[index...].starts(with: pattern) {
                return index..<utf8.index(index, offsetBy: pattern.count)
            }
            index = utf8.index(after: index)
        }
        return nil
    }
}
