import CLinux
import Glibc

/// The object behind descriptors of the model. It is closed with the last of them.
class KernelObject {
    /// The number under which it was opened last; -1 when nobody has it.
    fileprivate(set) var descriptor: Int32 = -1
    /// How many descriptors stand for it. One that is on its way to another process counts.
    fileprivate var references = 0
    /// Who watches it. A watch ends with the object, not with the descriptor for which it was asked.
    var watches: [EpollWatch] = []
    /// The token with which each process has watched it last.
    var latestTokens: [(watcher: ObjectIdentifier, token: UInt64)] = []

    /// The events that epoll would report now.
    var events: UInt32 { 0 }

    func close() {}

    // MARK: What only sockets do

    func receive(into target: UnsafeMutableRawBufferPointer) -> Int { -Int(ENOTSOCK) }
    func send(_ bytes: UnsafeRawBufferPointer) -> Int { -Int(ENOTSOCK) }
    func shutDown() -> Int { -Int(ENOTSOCK) }
}

/// A process that makes calls.
final class SimulatedProcess {
    let epoll = Epoll()
    let signals = Signals()
    fileprivate(set) var openDescriptors = 0
    /// Whether it has not been killed. The calls of a dead process do nothing.
    fileprivate(set) var isAlive = true
    /// Whether its program has begun, so that it waits for nothing but the next event.
    var takesTurns = false
    /// After how many more calls it is killed; nil when it is not.
    var callsLeft: Int?
    /// With which message to or from another process it is killed, before that passes; nil when it is not.
    var messagesLeft: Int?
    /// Whether it will be killed.
    var isDoomed: Bool { callsLeft != nil || messagesLeft != nil }
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
    private var descriptors: [Place] = []
    private var freeNumbers = Heap<Int32>()
    /// The process whose turn it is: it makes the calls.
    var process = SimulatedProcess()
    /// Whether several workers take turns, so that a wait returns at once and somebody else lets time pass.
    var isShared = false
    private var agenda = Heap<Event>()
    private var actions: [(() -> Void)?] = []
    private var freePlaces: [Int] = []
    private var ends: [SocketEnd] = []
    private var memories: [SharedMemory] = []
    private var farewells: [() -> Void] = []
    private var eventCount: UInt64 = 0
    var epoll: Epoll { process.epoll }
    var signals: Signals { process.signals }
    /// How many descriptors the process has.
    var openDescriptors: Int { process.openDescriptors }
    let children = Children()
    /// What befalls messages between processes.
    var passing = PassingFaults()
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

    private struct Place {
        var object: KernelObject?
        var process: SimulatedProcess?
    }

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
        guard let left = process.callsLeft else { return }
        process.callsLeft = left - 1
        if left <= 1 { kill(process) }
    }

    /// Counts a message to or from another process, before it passes.
    func countMessage() {
        guard let left = process.messagesLeft else { return }
        process.messagesLeft = left - 1
        if left <= 1 { kill(process) }
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

    /// Lets time pass until something happens, or until `deadline`. Returns false when nothing ever happens.
    func passTime(until deadline: Instant?) -> Bool {
        guard let next = [agenda.first?.time, deadline].compactMap(\.self).min() else { return false }
        now = max(now, next)
        return true
    }

    func runDueEvents() {
        while let event = agenda.first, event.time <= now, !isOver {
            agenda.removeFirst()
            let action = actions[event.place]
            actions[event.place] = nil
            freePlaces.append(event.place)
            action?()
        }
    }

    // MARK: Descriptors

    /// The object behind a descriptor of the process.
    func object(_ descriptor: Int32) -> KernelObject? {
        let index = Int(descriptor) - Self.first
        guard descriptors.indices.contains(index), descriptors[index].process === process else { return nil }
        return descriptors[index].object
    }

    /// What the process watches a descriptor for; nil when it does not.
    func interest(in descriptor: Int32) -> UInt32? {
        object(descriptor)?.watches.first { $0.epoll === epoll && $0.descriptor == descriptor }?.interest
    }

    /// Gives an object the lowest free number; nil when the process has too many.
    func open(_ object: KernelObject) -> Int32? {
        guard process.isAlive, openDescriptors < descriptorLimit else { return nil }
        process.openDescriptors += 1
        object.references += 1
        let place = Place(object: object, process: process)
        let index: Int
        if let free = freeNumbers.popFirst() {
            index = Int(free)
            descriptors[index] = place
        } else {
            index = descriptors.count
            descriptors.append(place)
        }
        object.descriptor = Int32(Self.first + index)
        return object.descriptor
    }

    func close(_ descriptor: Int32) -> Int {
        guard let object = object(descriptor) else { return -Int(EBADF) }
        let index = Int(descriptor) - Self.first
        descriptors[index] = Place()
        freeNumbers.push(Int32(index))
        process.openDescriptors -= 1
        release(object)
        noteProgress()
        return 0
    }

    /// Counts a descriptor that is on its way to another process.
    func retain(_ object: KernelObject) { object.references += 1 }

    /// Counts one descriptor less. The last one closes the object.
    func release(_ object: KernelObject) {
        object.references -= 1
        guard object.references == 0 else { return }
        for watch in object.watches { watch.isOver = true }
        object.watches = []
        object.close()
        object.descriptor = -1
    }

    /// Replaces the object behind a descriptor, as connect(2) does with a socket.
    func replace(_ descriptor: Int32, with object: KernelObject) {
        let index = Int(descriptor) - Self.first
        if let former = descriptors[index].object {
            object.latestTokens = former.latestTokens
            for watch in former.watches {
                watch.isOver = true
                object.watches.append(
                    EpollWatch(watch.epoll, object, watch.descriptor, interest: watch.interest, token: watch.token))
            }
            former.watches = []
            former.references -= 1
        }
        object.references += 1
        descriptors[index].object = object
        object.descriptor = descriptor
    }

    /// Ends a process as SIGKILL does: all its descriptors are closed. Their numbers are not used again, because the
    /// memory of the process names them until it is given up.
    func kill(_ process: SimulatedProcess) {
        guard process.isAlive else { return }
        process.isAlive = false
        process.callsLeft = nil
        process.messagesLeft = nil
        for place in descriptors where place.object != nil {
            for watch in place.object?.watches ?? [] where watch.epoll === process.epoll { watch.isOver = true }
            place.object?.watches.removeAll { $0.epoll === process.epoll }
        }
        for index in descriptors.indices where descriptors[index].process === process {
            guard let object = descriptors[index].object else { continue }
            descriptors[index] = Place()
            release(object)
        }
        process.openDescriptors = 0
        children.orphan(process)
        noteProgress()
    }

    /// How many of `count` bytes a call takes: all, or by chance fewer.
    func shortened(_ count: Int) -> Int {
        guard shortCalls > 0, count > 1, chance.below(1_000) < shortCalls else { return count }
        return chance.within(1...count)
    }

    /// Keeps an end: both ends of a connection refer to each other until the world ends.
    func remember(_ end: SocketEnd) { ends.append(end) }

    /// Keeps memory that may be mapped until the world ends.
    func keep(_ memory: SharedMemory) { memories.append(memory) }

    func hasMemory(at pointer: UnsafeMutableRawPointer) -> Bool { memories.contains { $0.owns(pointer) } }

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

    /// Has everybody who watches an object check it again, because something about it has changed.
    func poke(_ object: KernelObject) {
        for watch in object.watches where !watch.isQueued { watch.epoll.add(watch) }
    }

    /// Ends the worker's turn. Waits for an event that the worker wants to know, and lets time pass meanwhile.
    func wait(_ list: UnsafeMutablePointer<epoll_event>, _ count: Int, milliseconds: Int32) -> Int {
        turns &+= 1
        if isShared { return epoll.collect(list, count, &chance) }
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
