import CLinux
import Glibc

/// The interest list, level-triggered: every wait reports what is ready, until it is no longer ready.
final class Epoll: KernelObject {
    private var queue: [KernelObject] = []
    private var tokens: Set<UInt64> = []
    /// Called at each registration; `isFirst` says whether it is the first with its token.
    var registered: (_ token: UInt64, _ isFirst: Bool) -> Void = { _, _ in }

    /// Checks an object again, because something about it has changed.
    func poke(_ object: KernelObject) {
        guard let registration = object.registration, !registration.isQueued else { return }
        object.registration?.isQueued = true
        queue.append(object)
    }

    func control(_ operation: Int32, _ object: KernelObject, _ interest: UInt32, _ token: UInt64) -> Int {
        // An object that is always ready has no readiness to watch.
        if object is Nothing { return -Int(EPERM) }
        if object === self { return -Int(EINVAL) }
        switch operation {
        case EPOLL_CTL_ADD:
            guard object.registration == nil else { return -Int(EEXIST) }
            // The same socket may be removed and added again.
            let isKnown = object.latestToken == token
            object.registration = KernelObject.Registration(interest: interest, token: token)
            object.latestToken = token
            if !isKnown { registered(token, tokens.insert(token).inserted) }
        case EPOLL_CTL_MOD:
            guard object.registration != nil else { return -Int(ENOENT) }
            object.registration?.interest = interest
            object.registration?.token = token
        default:
            guard object.registration != nil else { return -Int(ENOENT) }
            // The object may be added again, and is still reported once in a wait.
            if object.registration?.isQueued == true { queue.removeAll { $0 === object } }
            object.registration = nil
            return 0
        }
        poke(object)
        return 0
    }

    /// Fills in the events that are ready, in any order.
    func collect(_ list: UnsafeMutablePointer<epoll_event>, _ count: Int, _ chance: inout Chance) -> Int {
        guard !queue.isEmpty else { return 0 }
        // The order has no meaning, and the last event may be reported first.
        if queue.count > 1, chance.once(in: 2) { queue.shuffle(using: &chance) }
        var found = 0
        var rest: [KernelObject] = []
        for object in queue {
            // An object that was closed, or removed and added again, may be in the queue without a registration.
            guard let registration = object.registration, registration.isQueued else { continue }
            guard found < count else {
                rest.append(object)
                continue
            }
            let always = EPOLLERR.rawValue | EPOLLHUP.rawValue
            let events = object.events & (registration.interest | always)
            guard events != 0 else {
                object.registration?.isQueued = false
                continue
            }
            list[found] = epoll_event(events: events, data: epoll_data_t(u64: registration.token))
            found += 1
            rest.append(object)
        }
        queue = rest
        return found
    }
}
