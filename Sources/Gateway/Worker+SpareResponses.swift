import BOSHCore

/// Responses that sessions keep beyond the last `requests`, out of one budget for the worker.
///
/// A page that was loaded again or a laptop that slept may ask for an older response than the rules make us keep
/// (`R-06`). Those are kept as long as there is room; then the oldest go first.
extension Worker {
    /// Takes in how much a session keeps now, and makes room if it is too much.
    func noteSpareResponses(of driver: SessionDriver) {
        guard sessions[Int(driver.slot)] === driver else { return }
        let bytes = driver.session.spareResponseBytes
        spareResponseBytes += bytes - driver.spareBytes
        driver.spareBytes = bytes
        if bytes > 0, !driver.isInSpareQueue {
            driver.isInSpareQueue = true
            spareQueue.append(SpareQueueEntry(slot: driver.slot, mark: driver.session.id.low))
            // Entries of sessions that are over leave when they come up, or here when they are the most.
            if spareQueue.count > 2 * sessionTable.count + 1_024 {
                spareQueue.filter { sessions[Int($0.slot)]?.session.id.low == $0.mark }
            }
        }
        while spareResponseBytes > settings.replayBudget, evictOldest() {}
    }

    /// A session is gone, and what it kept with it.
    func forgetSpareResponses(of driver: SessionDriver) {
        spareResponseBytes -= driver.spareBytes
        driver.spareBytes = 0
    }

    /// Takes one response from the session that has waited longest in the queue; false when the queue is empty.
    private func evictOldest() -> Bool {
        guard let entry = spareQueue.popFirst() else { return false }
        guard let driver = sessions[Int(entry.slot)], driver.session.id.low == entry.mark else { return true }
        driver.isInSpareQueue = false
        guard driver.session.evictSpareResponse() else { return true }
        counters.responsesEvicted += 1
        let bytes = driver.session.spareResponseBytes
        spareResponseBytes += bytes - driver.spareBytes
        driver.spareBytes = bytes
        if bytes > 0 {
            driver.isInSpareQueue = true
            spareQueue.append(entry)
        }
        return true
    }
}

/// A session that keeps more responses than it must.
struct SpareQueueEntry {
    let slot: UInt32
    /// Half of the session's random bits: its slot may have gone to another one.
    let mark: UInt64
}

/// First in, first out, without moving what waits.
struct SpareQueue {
    private var entries: [SpareQueueEntry] = []
    private var head = 0

    var count: Int { entries.count - head }

    mutating func append(_ entry: SpareQueueEntry) {
        entries.append(entry)
    }

    mutating func filter(_ isWanted: (SpareQueueEntry) -> Bool) {
        entries = entries[head...].filter(isWanted)
        head = 0
    }

    mutating func popFirst() -> SpareQueueEntry? {
        guard head < entries.count else { return nil }
        defer {
            head += 1
            if head > 1_024, head * 2 > entries.count {
                entries.removeFirst(head)
                head = 0
            }
        }
        return entries[head]
    }
}
