import CLinux
import Glibc

/// What one process watches one object for.
final class EpollWatch {
    unowned let epoll: Epoll
    unowned let object: KernelObject
    /// The descriptor for which the watch was asked. It may be closed while others stand for the same object.
    let descriptor: Int32
    var interest: UInt32
    var token: UInt64
    fileprivate(set) var isQueued = false
    /// Whether the watch has ended. Then the object may be gone.
    var isOver = false

    init(_ epoll: Epoll, _ object: KernelObject, _ descriptor: Int32, interest: UInt32, token: UInt64) {
        self.epoll = epoll
        self.object = object
        self.descriptor = descriptor
        self.interest = interest
        self.token = token
    }

    /// What is to be reported now.
    fileprivate var events: UInt32 { object.events & (interest | EPOLLERR.rawValue | EPOLLHUP.rawValue) }
}

/// The interest list of a process, level-triggered: every wait reports what is ready, until it is no longer ready.
final class Epoll: KernelObject {
    private var queue: [EpollWatch] = []
    private var tokens: Set<UInt64> = []
    /// Called at each registration; `isFirst` says whether it is the first with its token.
    var registered: (_ token: UInt64, _ isFirst: Bool) -> Void = { _, _ in }

    /// Has a watch checked with the next wait.
    func add(_ watch: EpollWatch) {
        watch.isQueued = true
        queue.append(watch)
    }

    /// Whether a wait would end at once.
    var isReady: Bool { queue.contains { !$0.isOver && $0.events != 0 } }

    func control(
        _ operation: Int32, _ object: KernelObject, at descriptor: Int32, _ interest: UInt32, _ token: UInt64
    ) -> Int {
        // An object that is always ready has no readiness to watch.
        if object is Nothing { return -Int(EPERM) }
        if object === self { return -Int(EINVAL) }
        let index = object.watches.firstIndex { $0.epoll === self && $0.descriptor == descriptor }
        switch operation {
        case EPOLL_CTL_ADD:
            guard index == nil else { return -Int(EEXIST) }
            let watch = EpollWatch(self, object, descriptor, interest: interest, token: token)
            object.watches.append(watch)
            note(token, of: object)
            add(watch)
        case EPOLL_CTL_MOD:
            guard let index else { return -Int(ENOENT) }
            let watch = object.watches[index]
            watch.interest = interest
            watch.token = token
            if !watch.isQueued { add(watch) }
        default:
            guard let index else { return -Int(ENOENT) }
            let watch = object.watches.remove(at: index)
            watch.isOver = true
            // The object may be added again, and is still reported once in a wait.
            if watch.isQueued { queue.removeAll { $0 === watch } }
        }
        return 0
    }

    /// Reports a token, unless the same socket was watched under it before: it may be removed and added again.
    private func note(_ token: UInt64, of object: KernelObject) {
        let watcher = ObjectIdentifier(self)
        let index = object.latestTokens.firstIndex { $0.watcher == watcher }
        if let index, object.latestTokens[index].token == token { return }
        if let index { object.latestTokens.remove(at: index) }
        object.latestTokens.append((watcher, token))
        registered(token, tokens.insert(token).inserted)
    }

    /// Fills in the events that are ready, in any order.
    func collect(_ list: UnsafeMutablePointer<epoll_event>, _ count: Int, _ chance: inout Chance) -> Int {
        guard !queue.isEmpty else { return 0 }
        // The order has no meaning, and the last event may be reported first.
        if queue.count > 1, chance.once(in: 2) { queue.shuffle(using: &chance) }
        var found = 0
        var rest: [EpollWatch] = []
        for watch in queue where !watch.isOver {
            guard found < count else {
                rest.append(watch)
                continue
            }
            let events = watch.events
            guard events != 0 else {
                watch.isQueued = false
                continue
            }
            list[found] = epoll_event(events: events, data: epoll_data_t(u64: watch.token))
            found += 1
            rest.append(watch)
        }
        queue = rest
        return found
    }
}
