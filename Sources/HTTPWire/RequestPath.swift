extension RequestHead {
    /// Whether the request is for `path`. Any number of slashes at either end makes no difference: a proxy whose own
    /// path ends with one may add it to the path or put it in front (H-22).
    package func isFor(_ path: String) -> Bool {
        // Compared as bytes, because a client writes the path and it may be long. Every request is compared with several
        // paths, most of which have another length.
        let (own, other) = (self.path.utf8.span, path.utf8.span)
        let (place, otherPlace) = (Self.core(own), Self.core(other))
        guard place.count == otherPlace.count else { return false }
        for offset in 0..<place.count
        where own[place.lowerBound + offset] != other[otherPlace.lowerBound + offset] {
            return false
        }
        return true
    }

    /// Where the path stands without the slashes at its ends.
    private static func core(_ path: Span<UInt8>) -> Range<Int> {
        let slash = UInt8(ascii: "/")
        var (start, end) = (0, path.count)
        while start < end, path[start] == slash { start += 1 }
        while start < end, path[end - 1] == slash { end -= 1 }
        return start..<end
    }
}
