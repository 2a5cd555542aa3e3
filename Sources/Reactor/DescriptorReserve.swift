/// Keeps one descriptor in reserve for the moment when none is left.
///
/// Without it a level-triggered listener would report the same waiting connection for ever and the loop would spin.
package struct DescriptorReserve: ~Copyable {
    private var spare: Descriptor?

    /// - Throws: no descriptor is left for the reserve.
    package init() throws(SystemError) {
        spare = try Self.open()
    }

    /// Accepts one waiting connection and closes it at once. To be called after `.descriptorsExhausted`.
    ///
    /// - Returns: whether a connection was turned away. If not, stop watching the listener for a while. In either case
    ///   call `refill` to have a descriptor in reserve again.
    package mutating func turnAway(_ listener: borrowing Listener) -> Bool {
        // Releasing the reserve makes room for exactly one accept.
        spare = nil
        if case .accepted = listener.accept() { return true }
        return false
    }

    /// Fills the reserve if it is empty.
    ///
    /// - Returns: whether the reserve is full now. If not, call again later: without it the next shortage turns nobody
    ///   away.
    package mutating func refill() -> Bool {
        guard spare == nil else { return true }
        do throws(SystemError) {
            spare = try Self.open()
            return true
        } catch {
            return false
        }
    }

    private static func open() throws(SystemError) -> Descriptor {
        Descriptor(owning: try Syscalls.openForReading("/dev/null"))
    }
}
