import CLinux
import Glibc

/// An object that only takes up a descriptor.
final class Nothing: KernelObject {}

/// The signals of the simulated process.
final class Signals: KernelObject {
    private var pending: [Int32] = []
    override var events: UInt32 { pending.isEmpty ? 0 : EPOLLIN.rawValue }

    /// Raises a signal; one that is already pending is not counted again.
    func raise(_ number: Int32) {
        if !pending.contains(number) { pending.append(number) }
    }

    /// Takes the pending signal with the lowest number; nil when there is none.
    func take() -> Int32? {
        guard let next = pending.min() else { return nil }
        pending.removeAll { $0 == next }
        return next
    }
}
