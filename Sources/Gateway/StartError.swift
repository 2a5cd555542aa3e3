/// The reason why a worker could not start, as one line for the operator.
package struct StartError: Error {
    /// The line, without the program's name.
    package let line: String

    init(_ line: String) {
        self.line = line
    }
}
