/// One descriptor kept back for the moment when none is left.
///
/// Without it a level-triggered listener would report the same waiting connection for ever and the loop would spin.
package struct DescriptorReserve: ~Copyable {
    private var spare: Descriptor?

    /// - Throws: there is no descriptor to keep back even now.
    package init() throws(SystemError) {
        spare = try Self.open()
    }

    /// Takes one waiting connection and closes it at once. To be called after `.descriptorsExhausted`.
    ///
    /// - Returns: whether a connection was turned away. If not, stop watching the listener for a while.
    package mutating func turnAway(_ listener: borrowing Listener) -> Bool {
        // Releasing the spare first makes room for exactly one accept.
        spare = nil
        let turnedAway: Bool
        switch listener.accept() {
        case .accepted: turnedAway = true
        default: turnedAway = false
        }
        spare = try? Self.open()
        return turnedAway
    }

    private static func open() throws(SystemError) -> Descriptor {
        Descriptor(owning: try Syscalls.openForReading("/dev/null"))
    }
}
