import BOSHCore
import Effort

/// One step of a random history. The operands choose among what is possible when the step is taken, so any selection of
/// a history's steps is a history too. That allows a failing one to be shrunk.
struct HistoryStep: Sendable {
    enum Kind: UInt8, Sendable, CaseIterable {
        /// The client sends its next request, whose content follows from the operands.
        case send
        /// A request on its way arrives, or the second copy of one that arrives twice.
        case arrive
        /// The client repeats a request that it has no answer to.
        case repeatRequest
        /// A request on its way is lost with its connection.
        case loseRequest
        /// An answer on its way arrives.
        case deliver
        /// An answer on its way is lost with its connection.
        case loseAnswer
        /// The connection of a waiting request dies, with or without the session being told.
        case die
        /// The session learns that a connection is dead.
        case notice
        /// The page is reloaded: it gives up its open requests and goes on with the next rid.
        case reload
        /// The upstream sends stanzas.
        case stanzas
        /// The upstream sends features, at the beginning or after a restart.
        case features
        /// The upstream stops taking bytes, or takes them again.
        case congestion
        /// The upstream is lost.
        case lose
        /// Time passes.
        case jump
    }

    let kind: Kind
    let first: Int
    let second: Int

    private static let weights: [(Kind, Int)] = [
        (.send, 32), (.arrive, 32), (.repeatRequest, 7), (.loseRequest, 3), (.deliver, 26), (.loseAnswer, 4), (.die, 5),
        (.notice, 3), (.reload, 2), (.stanzas, 14), (.features, 3), (.congestion, 3), (.lose, 1), (.jump, 9),
    ]

    /// The kind for each number below the sum of the weights.
    private static let wheel: [Kind] = weights.flatMap { Array(repeating: $0.0, count: $0.1) }

    /// A step of a random kind with random operands.
    init(from generator: inout SeededGenerator) {
        let bits = generator.next()
        kind = Self.wheel[Int(bits & 0xFFFF) % Self.wheel.count]
        first = Int((bits >> 16) & 0xFFFF)
        second = Int((bits >> 32) & 0xFFFF)
    }
}

/// The conditions of a history, chosen by its seed.
struct HistorySetting: Sendable {
    let hold: Int
    let wait: Int
    let firstRid: UInt64
    /// The number of streams that the client wants.
    let streams: Int
    let acknowledges: Bool
    let usesKeys: Bool

    var isPolling: Bool { hold == 0 || wait == 0 }
    var requests: Int { max(hold + 1, 2) }

    init(from generator: inout SeededGenerator) {
        hold = [1, 1, 1, 2, 3, 0][generator.below(6)]
        wait = generator.oneIn(12) ? 0 : 20
        firstRid = [1, 4_294_967_290, RequestID.maximum - 5_000][generator.below(3)]
        streams = [1, 1, 2, 3][generator.below(4)]
        acknowledges = generator.oneIn(3)
        usesKeys = generator.oneIn(3)
    }
}
