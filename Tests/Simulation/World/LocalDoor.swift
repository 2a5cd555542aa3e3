import CLinux
import Glibc

/// A socket at a path (unix(7)) on which processes of the program accept connections from each other. Whoever knows the
/// path can connect as long as any process has the socket.
final class LocalDoor: KernelObject {
    private unowned let kernel: Kernel
    private var waiting: [LocalEnd] = []
    /// Whether somebody could still accept here.
    private(set) var isOpen = true

    init(_ kernel: Kernel) { self.kernel = kernel }

    override var events: UInt32 { waiting.isEmpty ? 0 : EPOLLIN.rawValue }

    /// A connection that waits to be accepted; nil when nobody could.
    func connect() -> LocalEnd? {
        guard isOpen else { return nil }
        let (mine, its) = LocalEnd.pair(kernel, capacity: LocalEnd.standardCapacity)
        waiting.append(its)
        kernel.noteProgress()
        kernel.poke(self)
        return mine
    }

    /// Accepts the connection that has waited longest, and gives it a descriptor of the process.
    func accept() -> Int {
        guard let end = waiting.first else { return -Int(EAGAIN) }
        guard let descriptor = kernel.open(end) else { return -Int(EMFILE) }
        waiting.removeFirst()
        kernel.noteProgress()
        return Int(descriptor)
    }

    /// Refuses those that wait, as a supervisor does that finds connections to workers which never came.
    func turnAway() {
        for end in waiting { end.close() }
        waiting = []
        kernel.poke(self)
    }

    override func close() {
        isOpen = false
        turnAway()
    }
}
