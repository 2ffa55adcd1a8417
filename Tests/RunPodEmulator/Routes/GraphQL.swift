import Foundation

/// `POST /graphql`: the few calls that REST v2 lacks, and the ends of a pod. Errors come with status 200.
struct GraphQL {
    let account: Account

    func answer(_ body: [UInt8], _ caller: API.Caller) -> Answer {
        let json = JSONValue(body)
        let query = json?["query"]?.string ?? ""
        let input = json?["variables"]?["input"]
        if case .pod(let own) = caller {
            guard account.change({ $0.switches.podKey }) != .none else { return Answer(status: 403) }
            guard query.contains("podStop") || query.contains("podTerminate"), input?["podId"]?.string == own else {
                return error("Unauthorized")
            }
        }
        if query.contains("podTerminate") { return end(input, terminates: true) }
        if query.contains("podStop") { return end(input, terminates: false) }
        if query.contains("myself") {
            let (balance, spend) = account.change { state in
                (state.switches.balance, state.pods.filter { $0.billedSince != nil }.reduce(0) { $0 + $1.price })
            }
            return data(["myself": .object(["clientBalance": .double(balance), "currentSpendPerHr": .double(spend)])])
        }
        return error("Cannot query field")
    }

    private func end(_ input: JSONValue?, terminates: Bool) -> Answer {
        guard let id = input?["podId"]?.string, account.pod(id) != nil else {
            return error(terminates ? "pod not found to terminate" : "pod not found")
        }
        if terminates { account.delete(id) } else { account.stop(id) }
        return data(terminates ? ["podTerminate": .null] : ["podStop": .object(["id": .string(id)])])
    }

    private func data(_ fields: [String: JSONValue]) -> Answer { .json(.object(["data": .object(fields)])) }

    private func error(_ message: String) -> Answer {
        .json(.object(["data": .null, "errors": .array([.object(["message": .string(message)])])]))
    }
}
