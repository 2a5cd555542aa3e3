import BOSHCore
import HTTPWire
import Reactor

/// Checks what is true of a worker after each turn of its loop: whatever waits will be woken, the kernel watches what
/// the worker believes it watches, and the account equals what is held.
///
/// The product never checks this, because the check goes through everything that the worker holds. The simulation
/// checks it after each turn.
extension Worker {
    /// The invariant that is broken, in words; nil when all hold.
    ///
    /// - Parameter watched: the events that the kernel watches a descriptor for, as bits of an `Interest`; nil when it
    ///   does not.
    package func brokenInvariant(watched: (Int32) -> UInt32?) -> String? {
        upstreams.brokenInvariant(watched: watched) ?? clients.brokenInvariant(
            isAsked: inquiries.isAsked, watched: watched)
            ?? sessions.brokenInvariant ?? webSockets.brokenInvariant(watched: watched) ?? polling.brokenInvariant
            ?? brokenCount ?? brokenAccount
    }

    private var brokenCount: String? {
        let inUse = clients.count + webSockets.socketCount + upstreams.count + upstreams.raceCount
        return inUse == loop.descriptorsInUse ? nil : "\(loop.descriptorsInUse) descriptors are counted, not \(inUse)"
    }

    private var brokenAccount: String? {
        var sums = [Int](repeating: 0, count: ByteAccount.Kind.allCases.count)
        func add(_ bytes: UInt32, _ kind: ByteAccount.Kind) { sums[kind.rawValue] += Int(bytes) }
        for connection in clients.all {
            add(connection.chargedBody, .bodies)
            add(connection.chargedAnswers, .answers)
        }
        for driver in sessions.all {
            add(driver.chargedRequests, .requests)
            add(driver.chargedStanzas, .stanzas)
            add(driver.chargedReplays, .replays)
        }
        for client in webSockets.all {
            add(client.chargedBodies, .bodies)
            add(client.chargedAnswers, .answers)
            add(client.chargedStanzas, .stanzas)
        }
        for client in polling.all {
            add(client.chargedRequests, .requests)
            add(client.chargedStanzas, .stanzas)
            add(client.chargedReplays, .replays)
        }
        for link in upstreams.all {
            if Int(link.charged) != link.heldBytes {
                return "a stream holds \(link.heldBytes) and is charged \(link.charged)"
            }
            add(link.charged, .upstream)
        }
        add(clients.bodies.charged, .bodies)
        add(upstreams.chargedNames, .names)
        for kind in ByteAccount.Kind.allCases where loop.memory.held(kind) != sums[kind.rawValue] {
            return "the account has \(loop.memory.held(kind)) bytes of \(kind), and their owners \(sums[kind.rawValue])"
        }
        return nil
    }
}

extension Interest {
    /// How the worker's view of a watch differs from the kernel's; nil when they agree.
    static func disagreement(_ known: Interest?, _ watched: UInt32?) -> String? {
        guard let watched else { return known == nil ? nil : "the kernel does not watch it" }
        guard let known else { return "the kernel watches it, and the worker does not know" }
        return known.rawValue == watched ? nil : "the kernel watches it for something else"
    }
}
