import Glibc

/// Why a test's partner did not do what the test waited for.
package struct TestFault: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// How long a test waits for anything before it fails. It only keeps a broken test from hanging; nothing asserts it.
package enum Patience {
    package static let milliseconds: Int32 = 90_000

    /// Pauses between two looks at something that cannot be waited for.
    package static func pause(milliseconds: Int32 = 10) {
        poll(nil, 0, milliseconds)
    }

    /// Waits until a condition holds.
    ///
    /// - Parameters:
    ///   - what: what is waited for, behind the words "waited in vain until".
    ///   - pause: milliseconds between two looks.
    package static func wait(
        _ what: @autoclosure () -> String, pause: Int32 = 10, until condition: () throws -> Bool
    ) throws {
        try value(what(), pause: pause) { try condition() ? () : nil }
    }

    /// Waits until something is there, and returns it. The parameters are those of `wait`.
    package static func value<Value>(
        _ what: @autoclosure () -> String, pause: Int32 = 10, _ find: () throws -> Value?
    ) throws -> Value {
        // The clock counts and not the looks: on a busy machine one look may take long.
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            if let found = try find() { return found }
            guard ContinuousClock.now < end else { throw TestFault("waited in vain until \(what())") }
            Self.pause(milliseconds: pause)
        }
    }
}

extension [UInt8] {
    /// The bytes as text.
    package var text: String { String(decoding: self, as: UTF8.self) }
}
