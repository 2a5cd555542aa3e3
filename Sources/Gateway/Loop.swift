import Addresses
import BOSHCore
import LogLines
import Primitives
import Reactor
import Settings

/// What all parts of a worker share: the poller, the time of this turn, the lent buffers, and the account of the memory
/// that peers take.
///
/// It knows none of the parts. All of it is confined to the thread that calls `Worker.run`.
final class Loop {
    let settings: Settings
    let startedAt: MonotonicInstant
    /// The time of the batch of events that is being handled.
    private(set) var now: MonotonicInstant
    var poller: Poller
    var logs: Logs
    /// The lines about requests of clients; nil when there are none.
    let accessLog: AccessLog?
    var readBuffer = ReadBuffer()
    var pool = BufferPool()
    /// Storage for the body of the next request.
    var bodyRoom: [UInt8] = []
    var counters = Counters()
    var latencies = Latencies()
    var peerLines = LineAllowance()
    /// What clients have asked for in vain.
    var vainRequests = Reminders<VainRequest>()
    var date = DateField()
    /// The memory that all peers together take in this worker.
    var memory: ByteAccount
    /// What each client address holds.
    var addresses: AddressLedger
    /// How fast sessions may begin here.
    var creations: CreationRate
    /// Whether the process has begun to stop: then no session is found or begun any more.
    var isStopping = false
    /// How many descriptors connections of clients and streams to servers have, or are about to open.
    var descriptorsInUse = 0
    let descriptorLimit: Int
    /// Whether a turn has begun whose end has not been noted.
    private var isInTurn = false
    /// When the operator was last told that descriptors are short.
    private var shortageToldAt: MonotonicInstant?
    /// When the worker was started, in whole seconds since 1970-01-01 00:00 UTC.
    let startedOn = WallClock.seconds
    /// How many workers share the limits.
    let workers: Int

    /// This worker and the others.
    var fellows: Fellows

    /// - Throws: when no poller can be made.
    ///
    /// - Parameters:
    ///   - node: the name of this machine in each `sid`.
    ///   - workers: how many share what all peers together, or all of one address, may take.
    ///   - seed: a random number that all workers share; nil for a worker on its own.
    init(
        settings: Settings, logs: Logs, tag: UInt32 = 0, node: NodeName, workers: Int = 1, seed: UInt64? = nil
    ) throws(SystemError) {
        fellows = Fellows(tag: tag, node: node)
        self.workers = max(workers, 1)
        self.settings = settings
        self.logs = logs
        accessLog = try AccessLog(settings)
        let clock = MonotonicClock.now
        startedAt = clock
        now = clock
        poller = try Poller()
        memory = ByteAccount(limit: Self.memoryLimit(settings.memoryLimit) / self.workers)
        descriptorLimit = DescriptorLimit.raise()
        creations = CreationRate(perSecond: settings.creationRate, workers: self.workers)
        addresses = AddressLedger(
            limits: AddressLedger.Limits(settings, descriptors: descriptorLimit, workers: self.workers), seed: seed)
    }

    /// Reads the clock for a new batch of events.
    ///
    /// - Parameter goesOn: whether the loop has not slept since its last turn, so that this turn begins where that one
    ///   ends.
    func beginTurn(goesOn: Bool = false) {
        let clock = MonotonicClock.now
        if goesOn { endTurn(at: clock) }
        now = clock
        isInTurn = true
    }

    /// Notes that a turn ended at an instant; only the first of several calls after a turn counts.
    func endTurn(at clock: MonotonicInstant) {
        guard isInTurn else { return }
        isInTurn = false
        latencies.endTurn(after: clock.elapsed(since: now))
    }

    /// Sixty-four random bits from the kernel.
    func freshBits() -> UInt64 { UInt64(truncatingIfNeeded: SystemRandom.value128()) }

    /// Whether another descriptor may be opened for a session.
    var hasDescriptorsToSpare: Bool { descriptorsInUse < sessionDescriptors }

    /// How many descriptors connections of clients and streams to servers may have before no session is begun.
    var sessionDescriptors: Int { max(descriptorLimit - DescriptorNeeds.reserved(others: fellows.otherCount), 0) }

    /// Whether no descriptor is left for another session. Counts the refusal, and tells the operator once a minute.
    func refusesForDescriptors() -> Bool {
        guard !hasDescriptorsToSpare else { return false }
        counters.refusedWithoutDescriptor &+= 1
        tellOfDescriptors()
        return true
    }

    /// Tells the operator, at most once a minute, that clients are refused because no descriptor is left.
    func tellOfDescriptors() {
        if let told = shortageToldAt, now < told.advanced(by: .seconds(60)) { return }
        shortageToldAt = now
        logs.clients.warning(
            "new sessions are refused, because no file descriptor is left for them",
            metadata: [
                "limit": .number(descriptorLimit), "in-use": .number(descriptorsInUse),
                "refused": .number(counters.refusedWithoutDescriptor),
                "connections-refused": .number(counters.connectionsWithoutDescriptor),
                "hint": "\(DescriptorNeeds.remedy)",
            ])
    }

    /// How many sessions may be without login at the same time.
    var loginLimit: Int {
        settings.loginSessions > 0 ? share(settings.loginSessions) : max(descriptorLimit / 2, 1)
    }

    /// This worker's share of a number that all workers together may have, rounded up.
    func share(_ limit: Int) -> Int { (limit + workers - 1) / workers }

    /// Shows the other workers what addresses hold here, after it has changed.
    func showAddresses() {
        while let (bucket, word) = addresses.takeChange() { fellows.show(word, bucket: bucket) }
    }

    /// Whether the memory account forbids to begin anything new.
    var isOutOfMemory: Bool {
        guard memory.pressure == .full else { return false }
        reached(.memoryLimit, "a session was refused")
        return true
    }

    /// How many bytes all peers together may take in a worker.
    private static func memoryLimit(_ limit: ByteLimit) -> Int {
        switch limit {
        case .auto: ProcessMemory.available / 2
        case .bytes(let bytes): bytes
        }
    }
}
