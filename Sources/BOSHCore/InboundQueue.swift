/// Payload that waits for an upstream to open, in order.
///
/// A payload for several streams waits in each of them and takes its bytes once: the arrays share their storage.
struct InboundQueue: Sendable, Equatable {
    /// What one request brought, or a run of requests that only this stream was meant by.
    private struct Piece: Sendable, Equatable {
        /// The request that began it.
        let rid: RequestID
        var payload: [UInt8]
        let isShared: Bool

        /// What it takes. Those that are shared cannot grow into one, so the array around each counts.
        var byteCount: Int { payload.count + (isShared ? 64 : 0) }
    }

    private var pieces: [Piece] = []

    var isEmpty: Bool { pieces.isEmpty }

    /// Puts payload behind everything that waits. `isShared`: other streams keep the same.
    mutating func append(_ payload: [UInt8], of rid: RequestID, isShared: Bool) {
        guard !isShared, let last = pieces.indices.last, !pieces[last].isShared else {
            pieces.append(Piece(rid: rid, payload: payload, isShared: isShared))
            return
        }
        // Where nobody shares it, small payloads stand in one array: a piece for each would take more than its bytes.
        pieces[last].payload.append(contentsOf: payload)
    }

    /// What it takes beside `others`: bytes that one of them keeps too count there.
    func byteCount(beside others: ArraySlice<Substream>) -> Int {
        var bytes = 0
        for piece in pieces where !others.contains(where: { $0.inbound.keeps(piece.rid) }) { bytes += piece.byteCount }
        return bytes
    }

    /// What it takes of memory beside `others`.
    func heldBytes(beside others: ArraySlice<Substream>) -> Int {
        var bytes = pieces.capacity * MemoryLayout<Piece>.stride
        for piece in pieces where !others.contains(where: { $0.inbound.keeps(piece.rid) }) {
            bytes += piece.payload.heldBytes
        }
        return bytes
    }

    /// Whether it keeps what began with this request. Rids ascend, so half of what is left is passed over at each step.
    private func keeps(_ rid: RequestID) -> Bool {
        var lower = pieces.startIndex
        var upper = pieces.endIndex
        while lower < upper {
            let middle = (lower + upper) / 2
            if pieces[middle].rid < rid { lower = middle + 1 } else { upper = middle }
        }
        return lower < pieces.endIndex && pieces[lower].rid == rid
    }

    /// Takes everything, back to back.
    mutating func takeAll() -> [UInt8] {
        let waiting = pieces
        pieces = []
        guard waiting.count != 1 else { return waiting[0].payload }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(waiting.reduce(0) { $0 + $1.payload.count })
        for piece in waiting { bytes.append(contentsOf: piece.payload) }
        return bytes
    }
}
