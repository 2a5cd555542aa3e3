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
    package static let milliseconds: Int32 = 20_000

    /// Pauses between two looks at something that cannot be waited for.
    package static func pause(milliseconds: Int32 = 10) {
        poll(nil, 0, milliseconds)
    }
}

extension [UInt8] {
    /// The bytes as text.
    package var text: String { String(decoding: self, as: UTF8.self) }
}
