/// What this worker knows of itself and of the others on this machine.
struct Fellows {
    /// The worker's own number, which stands in each `sid` that it gives out.
    let tag: UInt32
    private var others: [UInt32] = []

    init(tag: UInt32) {
        self.tag = tag
    }

    /// Whether another living worker has this number, so that a session of this number may be there.
    func owns(_ tag: UInt32) -> Bool { others.contains(tag) }

    mutating func add(_ tag: UInt32) { others.append(tag) }

    mutating func remove(_ tag: UInt32) { others.removeAll { $0 == tag } }

    /// The worker that is to begin the next session; nil for this one.
    ///
    /// - Parameter own: how many sessions this worker has.
    func placeForNew(own: Int, _ mobility: Mobility) -> UInt32? {
        nil
    }
}
