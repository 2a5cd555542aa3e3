import Effort
import Testing

@testable import WebSocketWire

/// An event as the owner of a connection sees it, with the message that came.
enum Played: Equatable, Sendable {
    case text([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, [UInt8])
    case fault(FrameFault)

    static func text(_ message: String) -> Played { .text(Array(message.utf8)) }
    static func ping(_ payload: String) -> Played { .ping(Array(payload.utf8)) }
    static func pong(_ payload: String) -> Played { .pong(Array(payload.utf8)) }

    /// Whether nothing can come behind it.
    var isEnd: Bool {
        switch self {
        case .close, .fault: true
        case .text, .ping, .pong: false
        }
    }
}

/// Owns a reader and its message as a connection does, and checks the reader's promises at every step.
struct FramePlayer {
    var reader: FrameReader
    var message: [UInt8] = []
    var events: [Played] = []
    /// How many bytes had been read at each event. With a fault the rest of its piece may count as read.
    var places: [Int] = []
    private var read = 0

    init(limits: FrameLimits = FrameLimits(message: 1 << 20)) {
        reader = FrameReader(limits: limits)
    }

    /// The places that do not depend on how the bytes arrive.
    var fixedPlaces: ArraySlice<Int> {
        if case .fault = events.last { places.dropLast() } else { places[...] }
    }

    /// Takes a part of `bytes` that has come at once.
    mutating func receive(_ bytes: Span<UInt8>) {
        var offset = 0
        while let event = reader.next(in: bytes, at: &offset, message: &message) {
            places.append(read + offset)
            events.append(played(event))
        }
        #expect(offset == bytes.count, "all input is read")
        read += bytes.count
        if !reader.isInsideMessage, events.last?.isEnd != true { #expect(message.isEmpty) }
    }

    private mutating func played(_ event: FrameEvent) -> Played {
        #expect(events.last?.isEnd != true, "nothing comes behind a Close or a fault")
        switch event {
        case .text:
            #expect(!reader.isInsideMessage && !reader.isInsideFrame)
            let text = message
            message = []
            return .text(text)
        case .ping(let payload): return .ping(payload)
        case .pong(let payload): return .pong(payload)
        case .close(let code, let reason):
            #expect(!reader.isInsideMessage && !reader.isInsideFrame)
            return .close(code?.rawValue, reason)
        case .fault(let fault):
            #expect(!reader.isInsideMessage && !reader.isInsideFrame)
            return .fault(fault)
        }
    }

    /// Plays `bytes` in pieces; `size` gives the size of each next one, 1 or more.
    static func play(
        _ bytes: [UInt8], limits: FrameLimits = FrameLimits(message: 1 << 20), size: () -> Int
    ) -> FramePlayer {
        var player = FramePlayer(limits: limits)
        var start = 0
        while start < bytes.count {
            let end = min(start + size(), bytes.count)
            player.receive(bytes.span.extracting(start..<end))
            start = end
        }
        return player
    }

    /// The events of `bytes`, which are the same whole, byte by byte, and in pieces of random sizes, and come at the same
    /// places, except for a fault.
    static func events(
        of bytes: [UInt8], limits: FrameLimits = FrameLimits(message: 1 << 20), seed: UInt64 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> [Played] {
        let whole = play(bytes, limits: limits) { bytes.count }
        var generator = SeededGenerator(seed: seed)
        var others = [play(bytes, limits: limits) { 1 + generator.below(1 << generator.below(14)) }]
        if bytes.count <= 20_000 { others.append(play(bytes, limits: limits) { 1 }) }
        for other in others {
            #expect(other.events == whole.events, sourceLocation: sourceLocation)
            #expect(other.fixedPlaces == whole.fixedPlaces, sourceLocation: sourceLocation)
        }
        return whole.events
    }

    /// The events of some frames, played in the same ways.
    static func events(
        of frames: [ClientFrame], limits: FrameLimits = FrameLimits(message: 1 << 20),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> [Played] {
        events(of: frames.flatMap(\.bytes), limits: limits, sourceLocation: sourceLocation)
    }
}
