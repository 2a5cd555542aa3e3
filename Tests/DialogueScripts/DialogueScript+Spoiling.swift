extension DialogueScript {
    /// The same script with one expectation left out or changed, in all ways that must make it fail: what none of them
    /// shows is asserted by nothing.
    package var spoiled: [DialogueScript] {
        lines.indices.filter { lines[$0].isExpectation }.flatMap { index in
            var shorter = self
            shorter.lines.remove(at: index)
            return [shorter]
                + lines[index].spoiled.map { line in
                    var other = self
                    other.lines[index] = line
                    return other
                }
        }
    }
}

extension DialogueLine {
    /// The same line with a word less, another value, or another payload.
    fileprivate var spoiled: [DialogueLine] {
        var longer = self
        longer.payload += "<spoiled/>"
        return [longer]
            + words.indices.filter { !words[$0].hasPrefix("!") }.map { index in
                var other = self
                if words[index].contains("=") {
                    other.words[index] += "0"
                } else {
                    other.words.remove(at: index)
                }
                return other
            }
    }
}
