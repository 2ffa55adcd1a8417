/// One file of a run's log, as its name tells: `00000000000008388608-a0003.log`, or `00000000000008388608.log.gz` once it is sealed.
public struct LogSegment: Sendable, Equatable {
    /// Of its first byte, in the run's log.
    public var offset: Int
    /// Who wrote it; nil once it is compressed.
    public var attempt: Int?
    public var name: String

    public var isCompressed: Bool { attempt == nil }

    /// nil where `name` is that of something else.
    public init?(name: String) {
        guard let offset = Int(name.prefix(20)), name.utf8.count > 20 else { return nil }
        self.offset = offset
        self.name = name
        let rest = name.dropFirst(20)
        if rest == ".log.gz" { return }
        guard rest.hasPrefix("-a"), rest.hasSuffix(".log"), let attempt = Int(rest.dropFirst(2).dropLast(4)) else {
            return nil
        }
        self.attempt = attempt
    }

    /// The segments that make up the stream, in its order, out of all the names in the folder. Each one's bytes end where the next one begins.
    ///
    /// A compressed one was complete and synced before it got its name, so it goes before a plain one that begins at the same byte.
    /// What an attempt wrote at or beyond the first byte of a later attempt is no part of the stream.
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
