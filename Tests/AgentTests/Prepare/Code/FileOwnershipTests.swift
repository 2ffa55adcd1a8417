import Testing

@testable import Agent

/// The three-way rule as a table, and what holds in every row.
@Suite struct FileOwnershipTests {
    private typealias Row = (CodeContent?, CodeContent?, CodeContent?, FileOwnership.Action)

    private static func file(_ hash: String, x: Bool = false) -> CodeContent {
        .file(sha256: hash, size: 1, isExecutable: x)
    }

    private static let (a, b, c) = (file("a"), file("b"), file("c"))
    private static let ax = file("a", x: true)
    private static let bx = file("b", x: true)
    private static let link = CodeContent.link(target: [1])
    private static let otherLink = CodeContent.link(target: [2])
    private static let all: [CodeContent?] = [nil, a, ax, b, bx, c, link, otherLink, .folder, .unknown]

    /// The last pack, the work tree, the new pack.
    private static let rows: [Row] = [
        // No pack brings the path.
        (nil, nil, nil, .leave), (nil, a, nil, .leave), (nil, .folder, nil, .leave), (nil, .unknown, nil, .leave),
        // The path is new in the pack.
        (nil, nil, a, .put), (nil, a, a, .leave), (nil, ax, a, .put), (nil, b, a, .setAside), (nil, link, a, .setAside),
        (nil, .folder, a, .setAside), (nil, .unknown, a, .setAside), (nil, nil, .folder, .put),
        (nil, .folder, .folder, .leave), (nil, a, .folder, .setAside), (nil, link, link, .leave),
        (nil, otherLink, link, .setAside),
        // The training has not changed the file.
        (a, a, a, .leave), (a, a, b, .put), (a, a, nil, .remove), (a, a, link, .put), (a, a, .folder, .put),
        (link, link, otherLink, .put), (link, link, nil, .remove), (link, link, a, .put), (link, link, .folder, .put),
        (.folder, .folder, a, .put), (.folder, .folder, nil, .remove),
        // The training has deleted the file.
        (a, nil, a, .put), (a, nil, b, .put), (a, nil, nil, .leave), (.folder, nil, .folder, .put),
        // Only the training has changed the file.
        (a, b, a, .stay), (a, link, a, .stay), (a, .folder, a, .stay), (a, .unknown, a, .stay), (a, b, ax, .stay),
        (link, otherLink, link, .stay), (link, a, link, .stay),
        // The laptop has deleted what the training has changed.
        (a, b, nil, .stay), (a, link, nil, .stay), (a, .folder, nil, .stay), (link, otherLink, nil, .stay),
        // Both have changed the file.
        (a, b, c, .setAside), (a, link, b, .setAside), (a, .folder, b, .setAside), (a, b, .folder, .setAside),
        (link, a, b, .setAside), (.folder, a, b, .setAside), (.folder, a, .folder, .setAside), (a, b, b, .leave),
        // The executable bit alone is no result.
        (a, ax, a, .leave), (a, ax, b, .put), (a, ax, nil, .remove), (a, a, ax, .put), (ax, a, a, .leave),
        (ax, ax, a, .put), (b, ax, a, .put),
        // The last pack's content is not known.
        (.unknown, a, a, .leave), (.unknown, a, b, .setAside), (.unknown, a, nil, .stay), (.unknown, nil, a, .put),
        (.unknown, .unknown, a, .setAside),
    ]

    @Test("each combination of contents has its action")
    func table() {
        for (last, here, new, action) in Self.rows {
            let decided = FileOwnership.decide(last: last, here: here, new: new)
            #expect(decided == action, "\(String(describing: (last, here, new)))")
        }
    }

    @Test("no action loses a result, and a result stays only if the laptop's copy did not change")
    func invariants() {
        for last in Self.all {
            for here in Self.all {
                for new in Self.all where new != .unknown {
                    for interrupted in Self.all.map({ $0.map { [$0] } ?? [] }) {
                        check(last, interrupted, here, new)
                    }
                }
            }
        }
    }

    private func check(
        _ last: CodeContent?, _ interrupted: [CodeContent], _ here: CodeContent?, _ new: CodeContent?
    ) {
        let action = FileOwnership.decide(last: last, interrupted: interrupted, here: here, new: new)
        let text: Comment = "\(String(describing: (last, interrupted, here, new))): \(action)"
        let isBrought = ([last] + interrupted).contains { here?.hasSameBytes(as: $0) ?? false }
        let isSame = here?.hasSameBytes(as: new) ?? (new == nil)
        switch action {
        case .remove: #expect(isBrought && new == nil, text)
        case .put: #expect(new != nil && (here == nil || isBrought || isSame), text)
        case .setAside: #expect(here != nil && new != nil && !isBrought && !isSame, text)
        case .stay:
            #expect(here != nil && !isBrought && !isSame, text)
            #expect(new == nil || new?.hasSameBytes(as: last) == true, text)
        case .leave: #expect(isSame || (new == nil && last == nil && interrupted.isEmpty), text)
        }
    }

    @Test("a file that an unfinished sync brought follows the new pack with its executable bit")
    func interrupted() {
        func decide(_ last: CodeContent?, _ here: CodeContent?, _ new: CodeContent?) -> FileOwnership.Action {
            FileOwnership.decide(last: last, interrupted: [Self.bx], here: here, new: new)
        }
        #expect(decide(Self.a, Self.bx, Self.a) == .put)
        #expect(decide(nil, Self.bx, nil) == .remove)
        #expect(decide(Self.b, Self.bx, Self.b) == .put)
        #expect(decide(Self.a, Self.c, Self.b) == .setAside)
        #expect(decide(Self.a, Self.c, Self.a) == .stay)
    }
}
