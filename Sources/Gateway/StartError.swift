/// Why a worker could not start: one line for the operator.
package struct StartError: Error {
    /// The line, without the program's name.
    package let line: String

    init(_ line: String) {
        self.line = line
    }
}
