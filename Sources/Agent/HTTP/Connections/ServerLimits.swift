/// Limits on connections, so that strangers on the open internet cost the agent a constant.
///
/// A connection is *proven* once one of its requests carried the launch's token.
struct ServerLimits: Sendable {
    /// Connections at once.
    var connections = 256
    /// Connections at once that are not proven.
    var unproven = 64
    /// Time in which a connection may be over that limit: many clients of the launch may come at once.
    var burst: Duration = .milliseconds(250)
    /// Time from the connection to the end of its first head.
    var firstHead: Duration = .seconds(10)
    /// Time from a response to the end of the next head.
    var nextHead: Duration = .seconds(60)
    /// Time without a byte of a body that a route waits for.
    var body: Duration = .seconds(10)
    /// Time in which a peer must acknowledge what it is sent, tcp(7), TCP_USER_TIMEOUT.
    var unacknowledged: Duration = .seconds(30)
    /// Time that a refused client has to read why, before its connection is reset.
    var refusalRead: Duration = .seconds(1)
    /// Bytes of a head: target, names and values.
    var headBytes = 16 << 10
    /// Fields of a head.
    var headFields = 64
    /// Bytes that a connection which is not proven may send between two responses.
    var unprovenBytes = 80 << 10

    /// Descriptors that the server leaves to the journal, the log, `/proc` and children.
    private static let reserve = 128
    /// Descriptors that one connection may need: its own, and a file that its response reads.
    private static let perConnection = 3

    /// The limits if the process may have `limit` descriptors.
    static func fitting(descriptors limit: Int) -> ServerLimits {
        var limits = ServerLimits()
        limits.connections = max(16, min(limits.connections, (limit - reserve) / perConnection))
        limits.unproven = min(limits.unproven, limits.connections / 4)
        return limits
    }

    /// Connections at once that are proven: the rest is always there for newcomers.
    var proven: Int { connections - unproven / 4 }
}
