import Foundation

/// All that the emulated account holds. Every change is made under one lock.
final class Account: @unchecked Sendable {
    struct Volume {
        var id: String
        var name: String
        var size: Int
        var centre: String
    }

    struct State {
        var switches = Switches()
        var pods: [EmulatedPod] = []
        var volumes: [Volume] = []
        /// Name to value.
        var secrets: [String: String] = [:]
        var lastNumber = 0

        func index(_ id: String) -> Int? { pods.firstIndex { $0.id == id && $0.deleted == nil } }
    }

    let folder: String
    let key: String
    let agent: String
    /// The port that this program listens on.
    let port: UInt16
    private let lock = NSLock()
    private var state = State()
    /// Second byte of the pods' network, so that two emulators on one machine rarely meet.
    private let net = Int.random(in: 100...250)

    init(folder: String, key: String, agent: String, port: UInt16) {
        self.folder = folder
        self.key = key
        self.agent = agent
        self.port = port
        state.volumes = [Volume(id: "vol1", name: "first", size: 100, centre: "EU-RO-1")]
    }

    func change<Value>(_ body: (inout State) throws -> Value) rethrows -> Value {
        try lock.withLock { try body(&state) }
    }

    func pod(_ id: String) -> EmulatedPod? {
        change { state in state.index(id).map { state.pods[$0] } }
    }

    func change(_ id: String, _ body: (inout EmulatedPod) -> Void) {
        change { state in if let index = state.pods.firstIndex(where: { $0.id == id }) { body(&state.pods[index]) } }
    }

    /// The folder of a network volume.
    func folder(ofVolume id: String) -> String { "\(folder)/volumes/\(id)" }

    // MARK: Networks

    private func host(_ number: Int) -> String { "10.\(net).\(number / 60 % 250).\(number % 60 * 4 + 1)" }
    private func inside(_ number: Int) -> String { "10.\(net).\(number / 60 % 250).\(number % 60 * 4 + 2)" }
    private func network(_ number: Int) -> String { "rp\(net)x\(number)" }

    /// The address at which this machine sees a port of the pod.
    func address(of pod: EmulatedPod, port: UInt16) -> IPv4 {
        let parts = inside(pod.number).split(separator: ".").compactMap { UInt32($0) }
        return IPv4(host: parts.reduce(0) { $0 << 8 | $1 }, port: port)
    }

    // MARK: Lives

    /// Makes a pod and starts its container a little later.
    func create(_ order: [String: JSONValue], price: Double, centre: String, isSpot: Bool = false) throws -> EmulatedPod
    {
        let pod = change { state in
            state.lastNumber += 1
            var pod = EmulatedPod(
                id: Self.random(14), key: "rpa_\(Self.random(24))", number: state.lastNumber, order: order,
                name: order["name"]?.string ?? "", price: price, centre: centre, created: Date())
            if state.switches.showsProvisioning { pod.status = .provisioning }
            pod.isSpot = isSpot
            pod.billedSince = pod.created
            pod.started = pod.created
            state.pods.insert(pod, at: 0)
            return pod
        }
        try shell(["network", network(pod.number), host(pod.number), inside(pod.number)])
        startContainer(of: pod.id)
        return pod
    }

    /// Starts the container after the time of a pull.
    func startContainer(of id: String) {
        let delay = change { $0.switches.pull }
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) { [self] in
            guard let pod = pod(id), pod.status != .exited, !pod.isStuck else { return }
            do {
                let container = try Container(try plan(for: pod), log: pod.log) { [self] in ended(id) }
                change(id) { pod in
                    pod.container = container
                    pod.status = .running
                    pod.containerStarted = Date()
                    pod.starts += 1
                }
            } catch {
                pod.log.add("system", "start failed: \(error)")
            }
        }
    }

    /// A container whose main process has ended is started again, with the same disk. The pod runs and is billed on.
    private func ended(_ id: String) {
        guard let pod = pod(id), pod.status != .exited else { return }
        change(id) { $0.containerStarted = nil }
        let pause = change { $0.switches.restart }
        DispatchQueue.global().asyncAfter(deadline: .now() + pause) { [self] in startContainer(of: id) }
    }

    /// Stops the pod: SIGTERM, the grace, SIGKILL. Returns at once; the container's disk is wiped in the end.
    func stop(_ id: String) {
        guard let pod = pod(id) else { return }
        let grace = change { $0.switches.grace }
        change(id) { pod in
            pod.status = .exited
            pod.containerStarted = nil
            pod.stopBilling(at: Date())
        }
        DispatchQueue.global().async { [self] in
            pod.container?.end(grace: grace)
            try? shell(["wipe", disk(of: pod)])
        }
    }

    func delete(_ id: String) {
        guard let pod = pod(id) else { return }
        let grace = change { $0.switches.grace }
        change(id) { pod in
            pod.stopBilling(at: Date())
            pod.status = .exited
            pod.deleted = Date()
        }
        DispatchQueue.global().async { [self] in
            pod.container?.end(grace: grace)
            try? shell(["remove", network(pod.number), "\(folder)/pods/\(pod.id)"])
        }
    }

    /// Ends every process, for the end of this program.
    func killAll() {
        for pod in change({ $0.pods }) {
            change(pod.id) { $0.status = .exited }
            pod.container?.kill9()
            try? shell(["remove", network(pod.number), "\(folder)/pods/\(pod.id)"])
        }
    }

    private func disk(of pod: EmulatedPod) -> String { "\(folder)/pods/\(pod.id)/disk" }

    private func plan(for pod: EmulatedPod) throws -> Container.Plan {
        var mounts: [String] = []
        if let volume = pod.volume { mounts.append("\(folder(ofVolume: volume.id)):\(volume.path)") }
        if let path = pod.ownDisk { mounts.append("\(folder)/pods/\(pod.id)/volume:\(path)") }
        for mount in mounts {
            try FileManager.default.createDirectory(
                atPath: String(mount.prefix { $0 != ":" }), withIntermediateDirectories: true)
        }
        let command = (pod.order["entrypoint"]?.strings ?? []) + (pod.order["cmd"]?.strings ?? [])
        return Container.Plan(
            network: network(pod.number), disk: disk(of: pod), mounts: mounts, variables: variables(of: pod),
            command: change { $0.switches.breaksContainer }
                ? ["/bin/false"] : command.isEmpty ? ["/usr/local/bin/pod-agent"] : command, agent: agent)
    }

    private func variables(of pod: EmulatedPod) -> [String: String] {
        let secrets = change { $0.secrets }
        var all = pod.env
        for (name, value) in secrets {
            all = all.mapValues { $0.replacingOccurrences(of: "{{ RUNPOD_SECRET_\(name) }}", with: value) }
        }
        let base = "http://\(host(pod.number)):\(port)"
        let own = ProcessInfo.processInfo.environment
        all.merge([
            "HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "RUNPOD_API_KEY": pod.key, "RUNPOD_CPU_COUNT": "8", "RUNPOD_DC_ID": pod.centre,
            "RUNPOD_GPU_COUNT": "\(pod.order["gpu"]?["count"]?.int ?? 1)", "RUNPOD_GRAPHQL_URL": "\(base)/graphql",
            "RUNPOD_POD_HOSTNAME": "\(pod.id)-64410000", "RUNPOD_POD_ID": pod.id, "RUNPOD_PUBLIC_IP": "100.65.0.1",
            "RUNPOD_REST_URL": "\(base)/v2", "RUNPOD_VOLUME_ID": pod.volume?.id ?? "",
        ]) { $1 }
        // A test finds what it left behind by this.
        if let mark = own["LAUNCH_TEST_SITE"] { all["LAUNCH_TEST_SITE"] = mark }
        return all
    }

    private func shell(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [Container.script] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.standardError
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw EmulatorError("pod.sh \(arguments.joined(separator: " ")) failed") }
    }

    static func random(_ count: Int) -> String {
        String((0..<count).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
    }
}
