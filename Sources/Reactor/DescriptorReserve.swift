/// Keeps some descriptors in reserve for the moment when none is left.
///
/// The last one lets a waiting connection be turned away. Without it a level-triggered listener would report the same
/// connection for ever and the loop would spin. The others are for connections that are served even then.
package struct DescriptorReserve: ~Copyable {
    /// One descriptor in reserve. A class, because a descriptor cannot be copied into an array.
    private final class Spare {
        let descriptor: Descriptor

        init() throws(SystemError) { descriptor = Descriptor(owning: try Syscalls.openForReading("/dev/null")) }
    }

    private var spares: [Spare] = []
    private let size: Int

    /// - Parameter connections: how many connections can be served although no descriptor is left; 0 or more.
    /// - Throws: too few descriptors are left for the reserve.
    package init(connections: Int = 0) throws(SystemError) {
        size = max(connections, 0) + 1
        while spares.count < size { spares.append(try Spare()) }
    }

    /// Whether all that shall be in reserve is there. While it is not, `refill` is to be called again.
    package var isFull: Bool { spares.count == size }

    /// Accepts one waiting connection and closes it at once. To be called after `.descriptorsExhausted`.
    ///
    /// - Returns: whether a connection was turned away. If not, stop watching the listener for a while. In either case
    ///   call `refill` to have a descriptor in reserve again.
    package mutating func turnAway(_ listener: borrowing Listener) -> Bool {
        // Releasing one of the reserve makes room for exactly one accept.
        spares.removeLast(min(spares.count, 1))
        if case .accepted = listener.accept() { return true }
        return false
    }

    /// Gives up one descriptor, so that the next connection can be accepted although none was left. The last one stays.
    ///
    /// - Returns: whether there was one to give up.
    package mutating func release() -> Bool {
        guard spares.count > 1 else { return false }
        spares.removeLast()
        return true
    }

    /// Fills the reserve again, as far as there are descriptors.
    ///
    /// - Returns: whether there is one in reserve now. If not, call again later: without it the next shortage turns
    ///   nobody away.
    @discardableResult
    package mutating func refill() -> Bool {
        while spares.count < size {
            do throws(SystemError) {
                spares.append(try Spare())
            } catch {
                break
            }
        }
        return !spares.isEmpty
    }
}
