import BOSHCore
import XMLCodec

/// What undoes the coding of request bodies and works on large ones over several turns, and codes answers.
final class BodyWork {
    var coder = BodyCoder()
    var large: LargeBodies
    private let loop: Loop
    /// What the account has of the bodies that are worked on over several turns.
    private(set) var charged: UInt32 = 0

    init(_ loop: Loop) {
        self.loop = loop
        large = LargeBodies(limits: .ofClients(loop.settings))
    }

    /// Takes in what large bodies hold now.
    func settle() { loop.memory.settle(.bodies, large.byteCount, charged: &charged) }
}
