import ProcessLinks
import Reactor
import Settings

/// A listening socket that workers share.
final class OpenListener: DescriptorOwner {
    /// The number by which workers name it.
    let id: UInt32
    /// The address as it was written: port 0 stays 0.
    let address: String
    let listener: Listener
    var number: Int32 { listener.descriptor.number }

    init(id: UInt32, address: String, _ listener: consuming Listener) {
        self.id = id
        self.address = address
        self.listener = listener
    }
}

/// The listening sockets of all generations of workers. A socket stays the same one as long as any generation has it, so
/// no connection that waits to be accepted is lost when a new generation comes.
final class ListenerPool {
    private(set) var all: [OpenListener] = []

    /// The socket of this number; nil when it is closed.
    func listener(_ id: UInt32) -> OpenListener? { all.first { $0.id == id } }

    /// The sockets for these addresses, in this order. Those that are not open are opened.
    ///
    /// - Throws: `SupervisorError` with one line. Nothing was opened then.
    func open(_ addresses: [ListenAddress]) throws(SupervisorError) -> [UInt32] {
        let before = all
        var ids: [UInt32] = []
        do throws(SupervisorError) {
            for address in addresses {
                let text = address.description
                // Port 0 may stand there twice.
                if let open = all.first(where: { $0.address == text && !ids.contains($0.id) }) {
                    ids.append(open.id)
                } else {
                    ids.append(try open(text))
                }
            }
        } catch {
            for listener in all[before.count...] { listener.listener.removePath() }
            all = before
            throw error
        }
        return ids
    }

    private func open(_ address: String) throws(SupervisorError) -> UInt32 {
        guard let parsed = SocketAddress(address) else {
            throw SupervisorError(line: "'\(address)' is not an address to listen on")
        }
        do throws(SystemError) {
            let listener = try Listener(parsed)
            let id = freeID
            all.append(OpenListener(id: id, address: address, listener))
            return id
        } catch {
            throw SupervisorError(line: "cannot listen on \(address): \(error.reason)")
        }
    }

    /// The lowest number that no socket has. Few numbers are in use, and workers keep one byte of them.
    private var freeID: UInt32 {
        var id: UInt32 = 0
        while listener(id) != nil { id += 1 }
        return id
    }

    /// Takes over a socket that an earlier supervisor has opened.
    ///
    /// - Throws: the socket does not listen anywhere.
    func adopt(_ id: UInt32, _ address: String, _ descriptor: consuming Descriptor) throws(SystemError) {
        guard listener(id) == nil else { return }
        all.append(OpenListener(id: id, address: address, try Listener(adopting: descriptor)))
    }

    /// Closes the sockets that are not among these, so that others can listen there as soon as the workers have closed
    /// theirs. The files of Unix sockets are removed.
    func close(allBut ids: Set<UInt32>) {
        for listener in all where !ids.contains(listener.id) { listener.listener.removePath() }
        all.removeAll { !ids.contains($0.id) }
    }
}
