/// An encoded answer. Bytes that others keep too, such as a response in the replay cache, stand apart and are not
/// copied.
struct EncodedAnswer: Sendable {
    /// The head and the beginning of the body, or all of the body.
    var start: [UInt8]
    /// The bytes that follow, shared with others.
    var shared: [UInt8] = []
    /// The bytes after `shared`.
    var end: [UInt8] = []
    /// How many bytes of `shared` have left.
    var sharedLeft = 0

    var count: Int { start.count + shared.count - sharedLeft + end.count }
}

/// The output, in order: bytes, then answers whose shared part is copied only when it leaves.
struct AnswerOutput: Sendable {
    private var bytes: [UInt8] = []
    /// Empty except for large answers and those after them.
    private var answers: [EncodedAnswer] = []

    var isEmpty: Bool { bytes.isEmpty && answers.isEmpty }

    var count: Int { answers.isEmpty ? bytes.count : answers.reduce(bytes.count) { $0 + $1.count } }

    /// The memory reserved for the output. Shared bytes count too, because the output may be the last to keep them.
    var reservedBytes: Int {
        answers.isEmpty
            ? bytes.capacity : answers.reduce(bytes.capacity) { $0 + $1.count + MemoryLayout<EncodedAnswer>.size }
    }

    /// Lets `encode` write at the end. While no large answer waits, all output is one buffer.
    mutating func append(_ encode: (inout [UInt8]) -> Void) {
        if answers.isEmpty {
            encode(&bytes)
        } else {
            var start: [UInt8] = []
            encode(&start)
            answers.append(EncodedAnswer(start: start))
        }
    }

    /// Adds an answer at the end.
    mutating func append(_ answer: consuming EncodedAnswer) {
        if answers.isEmpty {
            bytes.append(contentsOf: answer.start)
            guard !answer.shared.isEmpty else { return }
            answer.start = []
        }
        answers.append(answer)
    }

    /// Whether the output has no storage to write to.
    var lacksRoom: Bool { bytes.capacity == 0 }

    /// Takes over storage for what will be written; only to be called when `lacksRoom`.
    mutating func takeRoom(_ room: consuming [UInt8]) { bytes = room }

    /// Moves output to `target`; shared bytes only until `target` has `limit` bytes. An empty target takes over the
    /// buffer without a copy.
    mutating func take(into target: inout [UInt8], limit: Int) {
        if target.isEmpty {
            swap(&target, &bytes)
        } else {
            target.append(contentsOf: bytes)
        }
        bytes = []
        var left = 0
        while left < answers.count, target.count < limit {
            target.append(contentsOf: answers[left].start)
            answers[left].start = []
            let from = answers[left].sharedLeft
            let to = min(answers[left].shared.count, from + max(limit - target.count, 0))
            target.append(contentsOf: answers[left].shared[from..<to])
            answers[left].sharedLeft = to
            guard to == answers[left].shared.count else { break }
            target.append(contentsOf: answers[left].end)
            left += 1
        }
        if left == answers.count { answers = [] } else { answers.removeFirst(left) }
    }
}
