import BOSHCore
import XMLCodec

/// Decodes request bodies, works on large ones over several turns, and codes answers.
final class BodyWork {
    var coder = BodyCoder()
    var large: LargeBodies
    private let loop: Loop
    /// How many bytes the memory account has for the large bodies.
    private(set) var charged: UInt32 = 0

    init(_ loop: Loop) {
        self.loop = loop
        large = LargeBodies(limits: .ofClients(loop.settings))
    }

    /// Updates the account with the bytes that large bodies hold now.
    func settle() { loop.memory.settle(.bodies, large.byteCount, charged: &charged) }
}
