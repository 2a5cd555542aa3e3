/// The name that was probably meant: the first one with the fewest changes (a character too many, missing, wrong, or
/// two exchanged). At most one change is allowed for each three characters; signs between words do not count.
///
/// - Returns: `nil` when no name is near.
package func nearest(to written: String, among names: [String]) -> String? {
    let word = letters(written)
    guard !word.isEmpty, word.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for name in names {
        let distance = distance(word, letters(name))
        if distance <= max(1, word.count / 3), distance < best?.distance ?? Int.max { best = (name, distance) }
    }
    return best?.name
}

/// The name in lower case, without the signs between words.
private func letters(_ name: String) -> [UInt8] {
    name.lowercased().utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") }
}

/// The optimal string alignment distance.
private func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...second.count)
    for (row, byte) in first.enumerated() {
        var current = [row + 1]
        for (column, other) in second.enumerated() {
            var value = min(last[column] + (byte == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, byte == second[column - 1], first[row - 1] == other {
                value = min(value, beforeLast[column - 1] + 1)
            }
            current.append(value)
        }
        beforeLast = last
        last = current
    }
    return last[second.count]
}
