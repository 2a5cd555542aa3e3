extension RequestHead {
    /// Whether the request is for `path`. Any number of slashes at either end makes no difference: a proxy whose own
    /// path ends with one may add it to the path or put it in front (H-22).
    package func isFor(_ path: String) -> Bool {
        // Compared as bytes, because a client writes the path and it may be long. Most write it as the settings do.
        self.path == path || Self.core(self.path.utf8).elementsEqual(Self.core(path.utf8))
    }

    /// The path without the slashes at its ends.
    private static func core(_ path: String.UTF8View) -> Substring.UTF8View {
        let slash = UInt8(ascii: "/")
        var core = path.drop { $0 == slash }
        while core.last == slash { core.removeLast() }
        return core
    }
}
