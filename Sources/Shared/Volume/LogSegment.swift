/// One file of a run's log, described by its name: `00000000000008388608-a0003.log`, or `00000000000008388608.log.gz`
/// after it is sealed.
public struct LogSegment: Sendable, Equatable {
    /// The offset of its first byte in the run's log.
    public var offset: Int
    /// The attempt that wrote it; nil after it is compressed.
    public var attempt: Int?
    public var name: String

    /// Far above what a log has, far below where a sum overflows.
    private static let largest = 1 << 60

    public var isCompressed: Bool { attempt == nil }

    /// nil if `name` is not the name of a segment.
    public init?(name: String) {
        guard let offset = Int(name.prefix(20)), 0...Self.largest ~= offset, name.utf8.count > 20 else { return nil }
        self.offset = offset
        self.name = name
        let rest = name.dropFirst(20)
        if rest == ".log.gz" { return }
        guard rest.hasPrefix("-a"), rest.hasSuffix(".log"), let attempt = Int(rest.dropFirst(2).dropLast(4)) else {
            return nil
        }
        self.attempt = attempt
    }

    /// Chooses the segments of the stream from all names in the folder. Each segment's bytes end where the next one
    /// begins.
    ///
    /// A compressed segment replaces a plain one with the same offset: it was complete and synced before it got its
    /// name. Bytes of an attempt at or beyond the first byte of a later attempt do not belong to the stream.
    public static func stream(of names: [String]) -> [LogSegment] {
        let all = names.compactMap { LogSegment(name: $0) }
            .sorted { ($0.offset, $0.attempt ?? .max) < ($1.offset, $1.attempt ?? .max) }
        var stream: [LogSegment] = []
        var newest = 0
        for segment in all {
            guard segment.attempt ?? newest >= newest else { continue }
            newest = segment.attempt ?? newest
            if stream.last?.offset == segment.offset { stream.removeLast() }
            stream.append(segment)
        }
        return stream
    }
}
