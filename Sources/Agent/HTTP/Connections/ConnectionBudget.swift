internal import NIOCore

/// The open connections of a server. It is used on the server's event loop only.
///
/// There is always room for a newcomer: the connection without a token that has been idle for longest is closed for it.
final class ConnectionBudget {
    let limits: ServerLimits
    let refusals: Refusals
    private var unproven: [ObjectIdentifier: ConnectionGate] = [:]
    private var proven: [ObjectIdentifier: ConnectionGate] = [:]

    init(limits: ServerLimits, refusals: Refusals) {
        self.limits = limits
        self.refusals = refusals
    }

    /// Counts a new connection.
    func admit(_ gate: ConnectionGate) {
        if isFull || unproven.count >= limits.unproven && !isBurst {
            refusals.count(.tooManyConnections)
            evictLongestIdle(of: unproven.values)
        }
        unproven[ObjectIdentifier(gate)] = gate
    }

    /// Counts the connection as proven. Returns false if every proven connection is in use.
    func prove(_ gate: ConnectionGate) -> Bool {
        let id = ObjectIdentifier(gate)
        if proven[id] != nil { return true }
        if proven.count >= limits.proven, !evictLongestIdle(of: proven.values.filter(\.isWaiting)) { return false }
        unproven[id] = nil
        proven[id] = gate
        return true
    }

    private var isFull: Bool { unproven.count + proven.count >= limits.connections }

    /// Whether all connections without a token are so young that their tokens may be under way.
    private var isBurst: Bool {
        let oldest = unproven.values.map(\.idleSince).min() ?? .now()
        return NIODeadline.now() - oldest < TimeAmount(limits.burst)
    }

    func remove(_ gate: ConnectionGate) {
        unproven[ObjectIdentifier(gate)] = nil
        proven[ObjectIdentifier(gate)] = nil
    }

    /// Returns false if there is none.
    @discardableResult
    private func evictLongestIdle(of gates: some Collection<ConnectionGate>) -> Bool {
        guard let gate = gates.min(by: { $0.idleSince < $1.idleSince }) else { return false }
        remove(gate)
        gate.close()
        return true
    }
}
