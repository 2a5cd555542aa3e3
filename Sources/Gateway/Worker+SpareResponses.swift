import BOSHCore

/// Responses that sessions keep beyond the last `requests`, out of one budget for the worker.
///
/// A page that was loaded again or a laptop that slept may ask for an older response than the rules make us keep
/// (`R-06`). Those are kept as long as there is room; then the sessions give up their oldest ones, each in turn.
extension Worker {
    /// Takes in how much a session keeps now, and makes room if it is too much.
    func noteSpareResponses(of driver: SessionDriver) {
        guard sessions[Int(driver.slot)] === driver else { return }
        count(driver)
        while spareResponseBytes > settings.replayBudget, evictNext() {}
    }

    /// A session is gone, and what it kept with it.
    func forgetSpareResponses(of driver: SessionDriver) {
        spareResponseBytes -= driver.spareBytes
        driver.spareBytes = 0
    }

    private func count(_ driver: SessionDriver) {
        let bytes = driver.ask { $0.spareResponseBytes }
        spareResponseBytes += bytes - driver.spareBytes
        driver.spareBytes = bytes
    }

    /// Takes one response from the next session that has one to spare; false when none has.
    ///
    /// The turn goes around all sessions, so those that were passed over since they last gave one up have waited longest.
    private func evictNext() -> Bool {
        for _ in sessions.indices {
            evictionTurn = evictionTurn + 1 < sessions.count ? evictionTurn + 1 : 0
            guard let driver = sessions[evictionTurn], driver.spareBytes > 0 else { continue }
            guard driver.session.evictSpareResponse() else { continue }
            counters.responsesEvicted += 1
            count(driver)
            return true
        }
        return false
    }
}
