import Foundation

/// `/emulator/…`: what a test may do that no customer can. It needs no key.
struct Control {
    let account: Account

    func answer(_ request: Connection.Request, _ body: [UInt8]) -> Answer {
        let words = request.path.split(separator: "/").dropFirst().map(String.init)
        switch (request.method, words.first, words.count) {
        case ("PUT", "switches", 1): return change(JSONValue(body))
        case ("GET", "pods", 1): return .json(.array(account.change { $0.pods }.map(json)))
        case ("POST", "preempt", 2):
            // The host takes the pod away: as a stop that its user did not ask for.
            account.stop(words[1])
            return .empty
        case ("POST", "duplicate", 2):
            guard let pod = account.pod(words[1]) else { return .problem(404, "pod not found") }
            _ = try? account.create(pod.order, price: pod.price, centre: pod.centre, isSpot: pod.isSpot)
            return .empty
        case ("POST", "crash", 2):
            // The container's processes die at once, and the provider starts it again.
            account.pod(words[1])?.container?.kill9()
            return .empty
        default: return .problem(404, "The requested path was not found.")
        }
    }

    private func change(_ change: JSONValue?) -> Answer {
        account.change { state in
            guard let change, let new = state.switches.changed(by: change) else {
                return .problem(422, "there is no such switch, or no such value")
            }
            state.switches = new
            return .empty
        }
    }

    /// With what it was billed, pods that are gone too.
    private func json(_ pod: EmulatedPod) -> JSONValue {
        let bill: [String: JSONValue] = [
            "bill": .double(pod.bill(at: Date())), "isBilled": .bool(pod.billedSince != nil),
            "isGone": .bool(pod.deleted != nil), "starts": .int(pod.starts),
        ]
        return .object((pod.json(at: Date()).object ?? [:]).merging(bill) { $1 })
    }
}
