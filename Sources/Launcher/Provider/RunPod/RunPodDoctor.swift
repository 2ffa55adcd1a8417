internal import RunPod
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Checks an account of RunPod, and the parts of a config that need it.
struct RunPodDoctor {
    let account: RunPodAccount
    let config: Config?

    func findings() async -> [Finding] {
        guard let client = try? account.client else {
            return [
                Finding(
                    subject: "key", verdict: .bad, text: "RUNPOD_API_KEY is not set",
                    fix: "set it in the environment or in .env; keys are made in RunPod's console")
            ]
        }
        let key = await check("key", bad: .bad) {
            let count = try await client.pods().count
            return "it lists the account's pods: \(count)"
        }
        guard key.verdict == .good else { return [key] }
        var all = [key, await balance(client), await secrets(client)]
        if let config { all += await checks(of: config, client) }
        return all
    }

    private func balance(_ client: RunPodClient) async -> Finding {
        await check("balance", bad: .warning) {
            let (credit, perHour) = try await client.balance()
            guard credit < 1 else {
                return "\(Dollars.text(credit)), \(Dollars.text(perHour ?? 0)) are spent in an hour"
            }
            throw Failure(
                .unavailable, "\(Dollars.text(credit)): RunPod asks for the price of an hour",
                hint: "add credit in RunPod's console, under Billing")
        }
    }

    /// A right that only this call shows. The secret is deleted at once.
    private func secrets(_ client: RunPodClient) async -> Finding {
        await check("secrets", bad: .warning) {
            _ = try await client.secrets()
            return "the key may see the account's secrets, so values need not be in a pod's listing"
        }
    }

    private func checks(of config: Config, _ client: RunPodClient) async -> [Finding] {
        var all = [Self.image(config)]
        if case .network(let id, _) = config.resources.volume {
            all.append(
                await check("volume", bad: .bad) {
                    let volumes = try await client.networkVolumes()
                    guard let volume = volumes.first(where: { $0.id == id }) else {
                        throw Failure(
                            .config, "the account has no network volume \"\(id)\"",
                            hint: "see \"launch volumes list\"")
                    }
                    let wanted = config.resources.datacenters
                    guard wanted.isEmpty || wanted.contains(volume.dataCenter) else {
                        throw Failure(
                            .config,
                            "volume \"\(id)\" is in \(volume.dataCenter), which resources.datacenters leaves out",
                            hint: "add \(volume.dataCenter), or leave resources.datacenters out")
                    }
                    return "\"\(volume.name)\", \(volume.size) GB in \(volume.dataCenter)"
                })
        }
        all.append(
            await check("GPUs", bad: .bad) {
                let order = PodOrder(
                    spec: config.spec(project: "", code: nil, volume: "/", launch: LaunchOrder(id: "doctor")),
                    place: Self.place(config), resources: config.resources)
                let offers = try await RunPodOffers(client: client, order: order).all()
                guard let first = offers.first else {
                    throw Failure(.noCapacity, "no kind of GPU fits \"resources\"", hint: "see \"launch gpus\"")
                }
                return "\(offers.count) kinds fit, the first is \(first.text)"
            })
        return all
    }

    private static func place(_ config: Config) -> PodPlace {
        if case .network(let id, let mount) = config.resources.volume { return .network(id: id, mount: mount) }
        return .ownDisk(mount: RunPodRules.mount)
    }

    private static func image(_ config: Config) -> Finding {
        guard let image = config.image else {
            return Finding(
                subject: "image", verdict: .bad, text: "the config names none",
                fix: "build one with docker/Dockerfile, push it, and set \"image\"")
        }
        if image.contains("@sha256:") { return Finding(subject: "image", verdict: .good, text: image) }
        return Finding(
            subject: "image", verdict: .warning, text: "\(image) has no digest",
            fix: "hosts keep old images of a tag; append @sha256:…")
    }

    /// Runs `body`. An error becomes a finding with the error's hint.
    private func check(
        _ subject: String, bad: Finding.Verdict, _ body: () async throws -> String
    ) async -> Finding {
        do {
            return Finding(subject: subject, verdict: .good, text: try await body())
        } catch {
            let problem = Failure(wrapping: error).problem
            return Finding(subject: subject, verdict: bad, text: problem.sentence, fix: problem.hint)
        }
    }
}
