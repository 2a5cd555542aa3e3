/// What the kernel says of this machine.
package enum ThisMachine {
    /// The host's name, as `hostname` prints it; empty when it is not to be had.
    package static var hostName: String { Syscalls.hostName ?? "" }
}
