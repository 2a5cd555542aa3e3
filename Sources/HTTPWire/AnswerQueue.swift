/// The answers that a connection owes, in the order of the requests (RFC 9112 §9.3.2, H-12).
///
/// Invariant: exchange numbers in the queue are consecutive. The front is never answered, because its answer leaves at
/// once. The front is stored apart, so the usual one open exchange costs no allocation. Waiting answers share bytes
/// that others keep too: a small repeat must not cost a copy of a large response.
struct AnswerQueue: Sendable {
    private struct Entry: Sendable {
        var terms: AnswerTerms
        /// The encoded answer, which waits for those before it.
        var answer: EncodedAnswer?
    }

    private var front: AnswerTerms?
    private var rest: [Entry] = []
    /// The number of the front, or of the next request when there is none.
    private var frontNumber: UInt64 = 1

    var isEmpty: Bool { front == nil }

    /// The exchanges in the queue, answered or not. The bound on pipelining counts them all, because a waiting answer
    /// takes memory too.
    var count: Int { front == nil ? 0 : rest.count + 1 }

    /// The numbers of the unanswered exchanges, in order.
    var open: [UInt64] {
        guard front != nil else { return [] }
        var numbers = [frontNumber]
        for (index, entry) in rest.enumerated() where entry.answer == nil {
            numbers.append(frontNumber + 1 + UInt64(index))
        }
        return numbers
    }

    var openCount: Int {
        front == nil ? 0 : rest.reduce(into: 1) { count, entry in count += entry.answer == nil ? 1 : 0 }
    }

    /// The bytes of the answers that wait for those before them.
    var waitingBytes: Int { rest.isEmpty ? 0 : rest.reduce(0) { $0 + ($1.answer?.count ?? 0) } }

    /// The memory of the queue and of its waiting answers.
    var reservedBytes: Int { rest.isEmpty ? 0 : rest.capacity * MemoryLayout<Entry>.stride + waitingBytes }

    /// Adds a request and returns its number.
    mutating func open(_ terms: AnswerTerms) -> UInt64 {
        let number = frontNumber + UInt64(count)
        if front == nil { front = terms } else { rest.append(Entry(terms: terms, answer: nil)) }
        return number
    }

    /// Adds an answer that belongs to no request (a refusal): to `output` at once, or after the answers owed.
    mutating func close(with answer: [UInt8], into output: inout AnswerOutput) {
        if front == nil {
            output.append(EncodedAnswer(start: answer))
        } else {
            rest.append(Entry(terms: AnswerTerms(), answer: EncodedAnswer(start: answer)))
        }
    }

    /// The terms of an exchange that is still open; nil for an unknown or answered one.
    func terms(_ number: UInt64) -> AnswerTerms? {
        if isFront(number) { return front }
        guard let index = restIndex(number), rest[index].answer == nil else { return nil }
        return rest[index].terms
    }

    func isFront(_ number: UInt64) -> Bool { front != nil && number == frontNumber }

    func isLast(_ number: UInt64) -> Bool { front != nil && number == frontNumber + UInt64(rest.count) }

    /// Removes the answered front, and moves the waiting answers that follow it to `output`.
    mutating func leaveFront(into output: inout AnswerOutput) {
        guard front != nil else { return }
        var left = 1
        while left <= rest.count, let answer = rest[left - 1].answer {
            output.append(answer)
            left += 1
        }
        frontNumber += UInt64(left)
        if left <= rest.count {
            front = rest[left - 1].terms
            rest.removeFirst(left)
        } else {
            front = nil
            rest = []
        }
    }

    /// Keeps the encoded answer of an exchange that is not at the front.
    mutating func keep(_ answer: EncodedAnswer, for number: UInt64) {
        guard let index = restIndex(number) else { return }
        rest[index].answer = answer
    }

    /// Forgets all exchanges after `number`; they are never answered.
    mutating func drop(after number: UInt64) {
        if isFront(number) {
            rest = []
        } else if let index = restIndex(number) {
            rest.removeSubrange((index + 1)...)
        }
    }

    private func restIndex(_ number: UInt64) -> Int? {
        guard front != nil, number > frontNumber, number - frontNumber <= UInt64(rest.count) else { return nil }
        return Int(number - frontNumber) - 1
    }
}
