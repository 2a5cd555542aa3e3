/// Bodies that come in pieces: they are read behind whatever is whole, so that many large ones do not delay who says little.
extension Worker {
    /// Puts a connection behind those that have waited longer for their turn to be read.
    func readInTurn(_ connection: ClientConnection) {
        guard !connection.isReadInTurn else { return }
        connection.isReadInTurn = true
        bodyReaders.append(connection)
    }

    /// Reads from the connections with more of a body to be read, as much as one turn has time for. The kernel reports the
    /// others again and again meanwhile, which costs little.
    func readBodies() {
        guard !bodyReaders.isEmpty else { return }
        var budget = Self.bodyBytesOfTurn
        var turns = 0
        let readers = bodyReaders
        bodyReaders = []
        while turns < readers.count, budget > 0 {
            let connection = readers[turns]
            turns += 1
            connection.isReadInTurn = false
            // It may have been looked away from since, or closed.
            guard connection.ending != .closed, connection.socket.isReading else { continue }
            read(from: connection)
            budget -= max(readBuffer.count, Self.leastOfRead)
        }
        bodyReaders.insert(contentsOf: readers[turns...], at: 0)
    }

    /// What bodies one turn reads: less than a millisecond's work.
    private static let bodyBytesOfTurn = 512 * 1024
    /// A read costs as much as so many bytes, even if it brings less.
    private static let leastOfRead = 4 * 1024
}
