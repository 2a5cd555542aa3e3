import Handover

/// Samples as the counters of a page.
extension Sample {
    /// The value as a word; nil for a text.
    var word: UInt64? {
        switch value {
        case .whole(let number): number
        case .real(let number): number.bitPattern
        case .text: nil
        }
    }

    /// The counter of the sample and its value as a word; nil for a text.
    var counter: (field: CounterTable.Field, word: UInt64)? {
        let name = Self.name(path)
        switch value {
        case .whole(let number):
            let kind: CounterTable.Kind =
                switch kind {
                case .counter: .sum
                case .gauge: .gauge
                case .state, .information: .largest
                }
            return (CounterTable.Field(kind, name), number)
        case .real(let number):
            return (CounterTable.Field(kind == .state ? .realLargest : .realSum, name), number.bitPattern)
        case .text:
            return nil
        }
    }

    /// The sample of a counter, of this worker or another one.
    ///
    /// - Parameter known: the path that the name was made of, if it is known.
    init(_ field: CounterTable.Field, _ word: UInt64, path known: [String]? = nil) {
        let path =
            known
            ?? field.name.split(separator: Character(Self.separator), omittingEmptySubsequences: false).map(String.init)
        switch field.kind {
        case .sum: self.init(path: path, kind: .counter, value: .whole(word))
        case .gauge: self.init(path: path, kind: .gauge, value: .whole(word))
        case .largest: self.init(path: path, kind: .state, value: .whole(word))
        case .realSum: self.init(path: path, kind: .counter, value: Self.real(word))
        case .realLargest: self.init(path: path, kind: .state, value: Self.real(word))
        }
    }

    /// The name of a counter by the path of its sample.
    static func name(_ path: [String]) -> String { path.joined(separator: separator) }

    /// A number of another process, which may be none.
    private static func real(_ word: UInt64) -> Value {
        let number = Double(bitPattern: word)
        return .real(number.isFinite ? number : 0)
    }

    /// No name has a slash: they are words, domains, and numbers.
    private static let separator = "/"
}
