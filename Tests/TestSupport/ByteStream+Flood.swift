/// Peers that send more than anybody reads.
extension ByteStream {
    /// What a flood has left behind.
    package struct Flood {
        /// How many pieces were begun, those of earlier floods included.
        package var begun: Int
        /// The rest of the last piece; empty when all of it was taken.
        package var unsent: [UInt8]

        /// How many pieces were taken as a whole.
        package var whole: Int { unsent.isEmpty ? begun : begun - 1 }
    }

    /// Sends numbered pieces until the daemon takes no more although it has handled everything that came before.
    ///
    /// - Parameters:
    ///   - first: the number of the first piece.
    ///   - piece: the bytes of the piece with a number.
    /// - Throws: the daemon takes more than a gigabyte, or ends the connection.
    package func flood(
        _ daemon: Daemon, from first: Int = 0, _ piece: (_ number: Int) -> [UInt8]
    ) throws -> Flood {
        var flood = Flood(begun: first, unsent: [])
        var sent = 0
        var refusals = 0
        while refusals < 3 {
            if flood.unsent.isEmpty {
                flood.unsent = piece(flood.begun)
                flood.begun += 1
            }
            let count = try sendSome(flood.unsent)
            flood.unsent.removeFirst(count)
            sent += count
            guard sent < 1 << 30 else { throw TestFault("the daemon takes whatever is sent") }
            refusals = count == 0 ? refusals + 1 : 0
            if count == 0 { try daemon.settle() }
        }
        return flood
    }
}
