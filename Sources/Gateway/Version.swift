/// The program's version, in one place.
package enum Version {
    /// `major.minor.patch`, by semantic versioning.
    package static let text = "0.1.0"
}
