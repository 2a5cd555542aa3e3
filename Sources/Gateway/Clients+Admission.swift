import Addresses
import BOSHCore
import HTTPWire
import Settings

/// Why no session begins for a client now. Each of them may be over soon, and clients are answered so that they come again.
enum CreationRefusal: Error, Equatable {
    case descriptors, memory
    /// There are as many sessions as there may be, or they begin as fast as they may: a limit for all clients together.
    case crowd
    /// The client's address has as much as it may.
    case address
}

/// Decides whether another session begins, whatever protocol its client speaks.
extension Clients {
    /// Admits a new session and counts it for its client's address. The caller gives the account back if the session does
    /// not begin after all.
    ///
    /// - Throws: why it does not begin. The refusal is counted, and told to the operator now and then.
    func admitSession(from requester: Requester) throws(CreationRefusal) -> AddressLedger.Account {
        // A session needs a descriptor for its stream, and the loop needs some in reserve.
        if loop.refusesForDescriptors() { throw .descriptors }
        if loop.isOutOfMemory { throw .memory }
        let most = loop.settings.maxSessions
        if most > 0, sessions.countOfAll + loop.fellows.sessionsElsewhere >= most {
            loop.reached(.maxSessions, requester.name)
            throw .crowd
        }
        guard loop.creations.admits(now: loop.now) else {
            loop.reached(.creationRate, requester.name)
            throw .crowd
        }
        do throws(AddressLedger.Refusal) {
            let address = limitedAddress(of: requester.client)
            let account = try loop.addresses.openSession(
                from: address, elsewhere: loop.fellows.held(bucket: loop.addresses.bucket(of: address)), now: loop.now)
            // Last, so that an address that is refused takes nothing from the others.
            loop.creations.take(now: loop.now)
            return account
        } catch {
            loop.reached(Bound(error), requester.name)
            throw .address
        }
    }

    /// After how many seconds a refused client is asked to come again. After a limit for all clients each gets another
    /// time, so that those who were refused together do not come back together.
    func patience(after refusal: CreationRefusal) -> Int {
        switch refusal {
        case .descriptors, .memory, .address: 5
        case .crowd: 5 + Int(truncatingIfNeeded: loop.freshBits() % 16)
        }
    }
}
