/// Payload that waits for an upstream to open, in order.
///
/// A payload for several streams waits in each of them but takes its bytes once, because the arrays share storage.
struct InboundQueue: Sendable, Equatable {
    /// The payload of one request, or of several in a row for this stream alone.
    private struct Piece: Sendable, Equatable {
        /// The first request of the piece.
        let rid: RequestID
        var payload: [UInt8]
        let isShared: Bool

        /// The bytes it takes. Shared pieces cannot be merged, so the array around each counts.
        var byteCount: Int { payload.count + (isShared ? 64 : 0) }
    }

    private var pieces: [Piece] = []

    var isEmpty: Bool { pieces.isEmpty }

    /// Adds payload at the end. `isShared`: other streams keep the same payload.
    mutating func append(_ payload: [UInt8], of rid: RequestID, isShared: Bool) {
        guard !isShared, let last = pieces.indices.last, !pieces[last].isShared else {
            pieces.append(Piece(rid: rid, payload: payload, isShared: isShared))
            return
        }
        // Payload for this stream alone is merged: a piece for each small payload would take more than its bytes.
        pieces[last].payload.append(contentsOf: payload)
    }

    /// The bytes this queue takes beside `others`; bytes that one of those keeps too count there.
    func byteCount(beside others: ArraySlice<Substream>) -> Int {
        var bytes = 0
        for piece in pieces where !others.contains(where: { $0.inbound.keeps(piece.rid) }) { bytes += piece.byteCount }
        return bytes
    }

    /// The memory this queue takes beside `others`.
    func heldBytes(beside others: ArraySlice<Substream>) -> Int {
        var bytes = pieces.capacity * MemoryLayout<Piece>.stride
        for piece in pieces where !others.contains(where: { $0.inbound.keeps(piece.rid) }) {
            bytes += piece.payload.heldBytes
        }
        return bytes
    }

    /// Whether the queue keeps a piece that began with this request. Rids ascend, so the search halves what is left.
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
