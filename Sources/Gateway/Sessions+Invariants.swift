import BOSHCore

extension Sessions {
    /// The invariant of the sessions that is broken, in words; nil when all hold.
    var brokenInvariant: String? {
        for driver in all {
            if let fault = brokenWait(of: driver) { return "session \(driver.session.id.short): \(fault)" }
        }
        return nil
    }

    private func brokenWait(of driver: SessionDriver) -> String? {
        if let deadline = driver.ask({ $0.nextDeadline }) {
            guard let due = self.due(driver), due <= deadline else {
                return "its deadline does not stand"
            }
        }
        let held = driver.ask { $0.heldBytes }
        let charged = (Int(driver.chargedRequests), Int(driver.chargedStanzas), Int(driver.chargedReplays))
        if charged != (held.requests, held.stanzas, held.replays) { return "holds \(held) and is charged \(charged)" }
        return nil
    }
}
