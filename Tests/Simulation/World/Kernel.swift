import CLinux
import Glibc

/// The object behind a descriptor of the model.
class KernelObject {
    fileprivate(set) var descriptor: Int32 = -1
    var registration: Registration?
    /// The token with which it was watched last.
    var latestToken: UInt64?

    struct Registration {
        var interest: UInt32
        var token: UInt64
        var isQueued = false
    }

    /// The events that epoll would report now.
    var events: UInt32 { 0 }

    func close() {}

    // MARK: What only sockets do

    func receive(into target: UnsafeMutableRawBufferPointer) -> Int { -Int(ENOTSOCK) }
    func send(_ bytes: UnsafeRawBufferPointer) -> Int { -Int(ENOTSOCK) }
    func shutDown() -> Int { -Int(ENOTSOCK) }
}

/// An object that only takes up a descriptor.
final class Nothing: KernelObject {}

/// The signals of the simulated process.
final class Signals: KernelObject {
    private var pending: [Int32] = []
    override var events: UInt32 { pending.isEmpty ? 0 : EPOLLIN.rawValue }

    /// Raises a signal; one that is already pending is not counted again.
    func raise(_ number: Int32) {
        if !pending.contains(number) { pending.append(number) }
    }

    /// Takes the pending signal with the lowest number; nil when there is none.
    func take() -> Int32? {
        guard let next = pending.min() else { return nil }
        pending.removeAll { $0 == next }
        return next
    }
}

/// A model of the kernel: the effects of the worker's system calls, and the passing of time.
///
/// Everything happens as an event at its time. Time passes only within epoll_wait, and a little in every call, so one
/// seed always gives the same history.
final class Kernel {
    /// The kernel of the running world.
    nonisolated(unsafe) static var current: Kernel?

    var chance: Chance
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    /// Seconds since 1970 in nanoseconds, less the time since the start; it may jump.
    var wallOffset: Int64 = 1_900_000_000_000_000_000
    var descriptorLimit = 1_024
    private var objects: [KernelObject?] = []
    private var freeNumbers = Heap<Int32>()
    private(set) var openDescriptors = 0
    private var agenda = Heap<Event>()
    private var actions: [(() -> Void)?] = []
    private var freePlaces: [Int] = []
    private var ends: [SocketEnd] = []
    private var farewells: [() -> Void] = []
    private var eventCount: UInt64 = 0
    let epoll = Epoll()
    let signals = Signals()
    let children = Children()
    /// The sockets that are bound to a port.
    var doors: [Door] = []
    /// The next port for a socket without a chosen one.
    var nextPort: UInt16 = 32_768
    /// Who takes the connections that the worker makes, by port.
    var services: [UInt16: (Kernel) -> ConnectOutcome] = [:]
    /// The address to which the worker connects at the moment.
    var calledAddress = CalledAddress()
    /// The properties of connections to a port of `services`.
    var serviceLinks: [UInt16: LinkKind] = [:]
    /// The properties of connections between two sockets of this machine.
    var loopback = LinkKind()
    /// The most connections that may wait to be accepted, whatever listen(2) was told (`net.core.somaxconn`).
    var longestBacklog = 4_096
    /// How many of a thousand reads and writes take less than they could, as when the rest came or was freed a moment
    /// later.
    var shortCalls = 0
    /// The failures of calls to come.
    var faults = CallFaults()
    /// Whether an accept has failed: the worker may have turned somebody away then.
    var hasRefusedToAccept = false
    /// A hash of everything that has happened.
    private(set) var trace: UInt64 = 0xCBF2_9CE4_8422_2325
    /// A counter that rises with every change.
    private(set) var progress: UInt64 = 0
    private(set) var calls: UInt64 = 0
    private(set) var turns: UInt64 = 0
    /// Called before each wait, in which the worker's turn has ended.
    var turnEnded: () -> Void = {}
    /// Set when the world has found a failure: the worker's loop then ends.
    var isOver = false
    /// Called when nothing will ever happen again.
    var stuck: () -> Void = {}

    private struct Event: Comparable {
        let time: Instant
        let number: UInt64
        /// The index of its action: events are moved often, and closures are expensive to move.
        let place: Int
        static func < (one: Event, other: Event) -> Bool {
            one.time == other.time ? one.number < other.number : one.time < other.time
        }
        static func == (one: Event, other: Event) -> Bool { one.number == other.number }
    }

    /// The outcome of a connection that the worker makes.
    enum ConnectOutcome {
        /// The connection is accepted after a while; the closure gets the other end.
        case accepted(after: Duration, (SocketEnd) -> Void)
        case refused(after: Duration)
        /// No answer ever comes.
        case silent
        /// The call itself fails.
        case failed(Int32)
    }

    init(seed: UInt64) {
        chance = Chance(seed: seed)
    }

    // MARK: Time

    func after(_ time: Duration, _ action: @escaping () -> Void) {
        at(now + time, action)
    }

    func at(_ time: Instant, _ action: @escaping () -> Void) {
        eventCount += 1
        let place = freePlaces.popLast() ?? actions.count
        if place == actions.count { actions.append(action) } else { actions[place] = action }
        agenda.push(Event(time: max(time, now), number: eventCount, place: place))
    }

    /// Lets what is on its way to an end arrive in time.
    func expect(_ end: SocketEnd) {
        guard let time = end.inbox.nextArrival else { return }
        if time <= now, end.state == .connected {
            // There is room now for bytes that are already here; the reader must not be called from within its own
            // call.
            at(now) { end.arrive() }
        } else {
            at(time) { end.arrive() }
        }
    }

    func noteProgress() { progress &+= 1 }

    /// Lets a call take some microseconds, and adds it to the trace.
    func count(_ call: UInt64, _ a: Int, _ b: Int) {
        calls &+= 1
        now.nanoseconds &+= 500 + (trace & 0xFFF)
        note(call)
        note(UInt64(bitPattern: Int64(a)))
        note(UInt64(bitPattern: Int64(b)))
    }

    func note(_ word: UInt64) {
        trace = (trace ^ word) &* 0x100_0000_01B3
        trace ^= trace >> 29
    }

    /// Lets time pass while the worker does something other than waiting.
    func pass(_ time: Duration) {
        let end = now + time
        runDueEvents()
        while let next = agenda.first?.time, next <= end, !isOver {
            now = max(now, next)
            runDueEvents()
        }
        now = max(now, end)
    }

    private func runDueEvents() {
        while let event = agenda.first, event.time <= now, !isOver {
            agenda.removeFirst()
            let action = actions[event.place]
            actions[event.place] = nil
            freePlaces.append(event.place)
            action?()
        }
    }

    // MARK: Descriptors

    func object(_ descriptor: Int32) -> KernelObject? {
        let index = Int(descriptor) - Self.first
        return objects.indices.contains(index) ? objects[index] : nil
    }

    /// Gives an object the lowest free number; nil when there are too many.
    func open(_ object: KernelObject) -> Int32? {
        guard openDescriptors < descriptorLimit else { return nil }
        openDescriptors += 1
        let index: Int
        if let free = freeNumbers.popFirst() {
            index = Int(free)
            objects[index] = object
        } else {
            index = objects.count
            objects.append(object)
        }
        object.descriptor = Int32(Self.first + index)
        return object.descriptor
    }

    func close(_ descriptor: Int32) -> Int {
        guard let object = object(descriptor) else { return -Int(EBADF) }
        let index = Int(descriptor) - Self.first
        object.registration = nil
        object.close()
        object.descriptor = -1
        objects[index] = nil
        freeNumbers.push(Int32(index))
        openDescriptors -= 1
        noteProgress()
        return 0
    }

    /// Replaces the object behind a descriptor, as connect(2) does with a socket.
    func replace(_ descriptor: Int32, with object: KernelObject) {
        let former = self.object(descriptor)
        object.registration = former?.registration
        object.latestToken = former?.latestToken
        object.registration?.isQueued = false
        former?.registration = nil
        objects[Int(descriptor) - Self.first] = object
        object.descriptor = descriptor
    }

    /// The objects of all open descriptors, for the judge.
    var openObjects: [KernelObject] { objects.compactMap { $0 } }

    /// How many of `count` bytes a call takes: all, or by chance fewer.
    func shortened(_ count: Int) -> Int {
        guard shortCalls > 0, count > 1, chance.below(1_000) < shortCalls else { return count }
        return chance.within(1...count)
    }

    /// Keeps an end: both ends of a connection refer to each other until the world ends.
    func remember(_ end: SocketEnd) { ends.append(end) }

    /// Registers a clean-up for the end of the world.
    func whenOver(_ action: @escaping () -> Void) { farewells.append(action) }

    func end() {
        for farewell in farewells { farewell() }
        farewells = []
        for end in ends {
            end.notify = nil
            end.peer?.notify = nil
            end.peer?.peer = nil
            end.peer = nil
        }
        ends = []
        children.program = { _ in }
        children.refusal = { nil }
        children.wasShort = {}
        agenda = Heap()
        actions = []
        services = [:]
    }

    /// Sends a signal to the process.
    func raise(_ signal: Int32) {
        signals.raise(signal)
        poke(signals)
    }

    // MARK: epoll

    func poke(_ object: KernelObject) {
        epoll.poke(object)
    }

    /// Ends the worker's turn. Waits for an event that the worker wants to know, and lets time pass meanwhile.
    func wait(_ list: UnsafeMutablePointer<epoll_event>, _ count: Int, milliseconds: Int32) -> Int {
        turns &+= 1
        turnEnded()
        guard !isOver else { return -Int(EBADF) }
        runDueEvents()
        let deadline = milliseconds < 0 ? nil : now + .milliseconds(Int(milliseconds))
        while !isOver {
            let found = epoll.collect(list, count, &chance)
            if found > 0 { return found }
            guard milliseconds != 0 else { return 0 }
            guard let next = agenda.first?.time else {
                guard let deadline else {
                    stuck()
                    return -Int(EBADF)
                }
                now = deadline
                return 0
            }
            if let deadline, next > deadline {
                now = deadline
                return 0
            }
            now = max(now, next)
            runDueEvents()
        }
        return -Int(EBADF)
    }

    static let first = 1 << 20
}
