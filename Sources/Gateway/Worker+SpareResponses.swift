import BOSHCore

/// Responses that sessions keep beyond the last `requests`, out of one budget for the worker.
///
/// A page that was loaded again or a laptop that slept may ask for an older response than the rules make us keep
/// (`R-06`). Those are kept as long as there is room; then whoever keeps most gives up its oldest one.
extension Worker {
    /// Takes in how much a session keeps now, and makes room if it is too much.
    func noteSpareResponses(of driver: SessionDriver) {
        guard sessions[Int(driver.slot)] === driver else { return }
        spareResponses.set(driver.slot, to: driver.ask { $0.spareResponseBytes })
        settle(driver)
        while spareResponses.total > settings.replayBudget, evictSpareResponse() {}
    }

    /// A session is gone, and what it kept with it.
    func forgetSpareResponses(of driver: SessionDriver) {
        spareResponses.set(driver.slot, to: 0)
        stanzaHolders.set(driver.slot, to: 0)
        addresses.note(-driver.charged, of: driver.account)
        memory.settle(.requests, 0, charged: &driver.chargedRequests)
        memory.settle(.stanzas, 0, charged: &driver.chargedStanzas)
        memory.settle(.replays, 0, charged: &driver.chargedReplays)
    }

    /// Takes one response from one of those that keep most; false when none has one to spare.
    func evictSpareResponse() -> Bool {
        guard let slot = spareResponses.largest else { return false }
        guard let driver = sessions[Int(slot)], driver.session.evictSpareResponse() else {
            spareResponses.set(slot, to: 0)
            return true
        }
        counters.responsesEvicted += 1
        spareResponses.set(slot, to: driver.ask { $0.spareResponseBytes })
        spareResponses.passTurn(of: slot)
        settle(driver)
        return true
    }
}
