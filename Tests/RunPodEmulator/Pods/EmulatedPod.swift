import Foundation

/// A pod as the account knows it. Changed only under the account's lock.
struct EmulatedPod {
    enum Status: String { case provisioning = "PROVISIONING", running = "RUNNING", exited = "EXITED" }

    let id: String
    let key: String
    let number: Int
    /// What the create said, `env` and `ports` as the last change left them.
    var order: [String: JSONValue]
    var name: String
    var status = Status.running
    /// US dollars for an hour while it runs.
    let price: Double
    let centre: String
    let created: Date
    var started: Date?
    var isSpot = false
    /// It never gets its runtime.
    var isStuck = false
    /// RunPod's line about why no container starts.
    var bootFailure: String?
    /// When the container that runs now was started.
    var containerStarted: Date?
    var container: Container?
    /// The container's starts so far.
    var starts = 0
    /// US dollars for the times that are over.
    var billed = 0.0
    /// Since when the present time is billed; nil if the pod does not run.
    var billedSince: Date?
    var deleted: Date?
    let log = PodLog()

    var env: [String: String] { order["env"]?.object?.compactMapValues(\.string) ?? [:] }
    var ports: [String] { order["ports"]?.strings ?? [] }
    var volume: (id: String, path: String)? {
        guard let mount = order["mounts"]?["network"]?.array?.first, let id = mount["volumeId"]?.string,
            let path = mount["path"]?.string
        else { return nil }
        return (id, path)
    }
    var ownDisk: String? { order["mounts"]?["persistent"]?["path"]?.string }

    func bill(at now: Date) -> Double {
        billed + (billedSince.map { price * now.timeIntervalSince($0) / 3600 } ?? 0)
    }

    mutating func stopBilling(at now: Date) {
        billed = bill(at: now)
        billedSince = nil
    }

    /// As the API shows it.
    func json(at now: Date) -> JSONValue {
        let command = JSONValue.object([
            "cmd": order["cmd"] ?? .array([]), "entrypoint": order["entrypoint"] ?? .array([]),
        ])
        let runs = status != .exited
        var shown: [String: JSONValue] = [
            "actions": .texts(runs ? ["stop", "restart", "terminate"] : ["start", "terminate"]),
            "args": order["args"] ?? .string(String(decoding: command.bytes, as: UTF8.self)),
            "cloud": order["cloud"] ?? .string("SECURE"), "cmd": order["cmd"] ?? .array([]),
            "cost": .double(runs ? price : 0), "createdAt": .string(Self.time(created)), "cudaVersion": .string("12.8"),
            "dataCenterId": .string(centre), "disk": order["disk"] ?? .int(0),
            "entrypoint": order["entrypoint"] ?? .array([]), "env": order["env"] ?? .object([:]),
            "globalNetworking": .object(["enabled": .bool(false)]), "id": .string(id),
            "image": order["image"] ?? .string(""), "locked": .bool(false), "mounts": order["mounts"] ?? .object([:]),
            "name": .string(name), "ports": .texts(ports), "registry": .null,
            "runtime": containerStarted.map { runtime(since: $0, now) } ?? .null,
            "ssh": .object(["direct": .null, "proxy": ssh]), "startedAt": .text(started.map(Self.time)),
            "status": .string(status.rawValue), "template": .null,
        ]
        if let cpu = order["cpu"] {
            shown["cpu"] = .object([
                "id": cpu["id"] ?? .string(""), "memory": .int(4), "vcpuCount": cpu["vcpuCount"] ?? .int(2),
            ])
        }
        if let gpu = order["gpu"] {
            shown["gpu"] = .object(["count": gpu["count"] ?? .int(1), "id": gpu["id"] ?? .string("")])
        }
        return .object(shown)
    }

    private var ssh: JSONValue {
        .object([
            "command": .string("ssh \(id)-1@ssh.runpod.io"), "host": .string("ssh.runpod.io"), "port": .int(22),
            "username": .string("\(id)-1"),
        ])
    }

    private func runtime(since start: Date, _ now: Date) -> JSONValue {
        let ports = ports.compactMap { port -> JSONValue? in
            let words = port.split(separator: "/")
            guard words.count == 2, let number = Int(words[0]) else { return nil }
            return .object([
                "ip": .string("100.65.0.1"), "private": .int(number), "public": .int(60_000 + starts),
                "type": .string(String(words[1])),
            ])
        }
        // RunPod lists one port more than was asked for.
        let extra: JSONValue = .object([
            "ip": .string("100.65.0.1"), "private": .int(19123), "public": .int(60_999), "type": .string("http"),
        ])
        return .object([
            "cpu": .object(["util": .int(3)]), "gpus": .array([]), "memory": .object(["util": .int(5)]),
            "ports": .array(ports + [extra]), "uptime": .int(Int(now.timeIntervalSince(start))),
        ])
    }

    static func time(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
