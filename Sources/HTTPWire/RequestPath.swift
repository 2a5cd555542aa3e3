extension RequestHead {
    /// Whether the request is for `path`. Slashes at either end make no difference, however many: a proxy whose own path ends
    /// with one adds it to what it passes on, or puts it in front (H-22).
    package func isFor(_ path: String) -> Bool {
        // Compared as bytes: a client writes the path, and it may be long.
        Self.core(self.path.utf8).elementsEqual(Self.core(path.utf8))
    }

    /// What stands between the slashes at the ends.
    private static func core(_ path: String.UTF8View) -> Substring.UTF8View {
        let slash = UInt8(ascii: "/")
        var core = path.drop { $0 == slash }
        while core.last == slash { core.removeLast() }
        return core
    }
}
