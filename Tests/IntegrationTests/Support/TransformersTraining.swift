import Shared
import Testing

/// A training with the Trainer of transformers, and an undisturbed reference run of it.
///
/// Both compute the same bytes, so the content of each complete checkpoint is known.
struct TransformersTraining {
    let site: Site
    var agent: BareAgent
    private let reference: String

    /// Steps between two saves, which take one or two seconds. A save takes 20 ms.
    static let interval = 20

    /// Runs the reference with `options`. The training gets the options of `training` too.
    init(at site: Site, steps: Int, text: ArraySlice<UInt8>, _ options: String, training: String = "") async throws {
        self.site = site
        reference = "\(site.root)/reference"
        try File.makeFolders(reference)
        try File.write(Array(text), over: "\(site.root)/text")
        let command = """
            \(try await TorchEnvironment.python(at: site)) \(Programs.package)/Tests/Fixtures/train_gpt2.py \
            --text $SITE/text --output_dir out --max_steps \(steps) --save_steps \(Self.interval) \
            --logging_steps \(Self.interval) --per_device_train_batch_size 4 --learning_rate 1e-3 --use_cpu \
            --report_to none \(options)
            """
        agent = try BareAgent(at: site, command: .shell("\(command) \(training) {resume}"))
        agent.spec.resume = .shell("--resume_from_checkpoint {checkpoint}")
        agent.spec.checkpoints = CheckpointRule(path: "out")
        // One thread adds numbers in the same order each time.
        agent.spec.env = ["HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"]
        let run = try site.start(["sh", "-c", "cd \(reference) && exec \(command)"], environment: agent.spec.env)
        #expect(try await run.end(within: .seconds(300)) == 0, "\(run.errors)")
    }

    // MARK: Checkpoints

    private var out: String { "\(agent.folder.work)/out" }

    func checkpoint(_ step: Int) -> String { "\(out)/checkpoint-\(step)" }

    /// The steps of all checkpoints, whole or not. An empty folder is not yet a checkpoint.
    var steps: [Int] {
        ((try? CheckpointFolder(path: out, pattern: "checkpoint-*").candidates()) ?? []).compactMap(\.step).sorted()
    }

    var proven: [Receipt] { get throws { try agent.folder.allReceipts() } }

    private struct State: Decodable { var global_step: Int }

    /// Whether the checkpoint has the same files as the reference's, with the same bytes.
    func isWhole(_ step: Int) -> Bool {
        let reference = "\(reference)/out/checkpoint-\(step)"
        guard let names = try? File.list(reference), Set(names) == Set((try? File.list(checkpoint(step))) ?? [])
        else { return false }
        return names.allSatisfy { name in
            guard let bytes = try? File.read("\(checkpoint(step))/\(name)") else { return false }
            return switch name {
            // The options differ.
            case "training_args.bin": !bytes.isEmpty
            // The times of evaluations differ.
            case "trainer_state.json": (try? JSON.decode(State.self, from: bytes))?.global_step == step
            default: bytes == (try? File.read("\(reference)/\(name)"))
            }
        }
    }

    /// A moment inside a save.
    enum SaveMoment {
        /// The file of that name exists.
        case at(String)
        /// The file of that name exists, and each file so far is complete, so the formats look whole.
        case after(String)
    }

    /// Whether a save after that of `step` has reached `moment` and not yet its last file.
    func isSaving(_ moment: SaveMoment, after step: Int) -> Bool {
        guard let newest = steps.last, newest > step, let names = try? File.list(checkpoint(newest)),
            !names.contains("trainer_state.json")
        else { return false }
        func size(of name: String, in folder: String) -> Int? {
            File.status("\(folder)/\(name)")?.size
        }
        switch moment {
        case .at(let name): return names.contains(name)
        case .after(let name):
            let reference = "\(reference)/out/checkpoint-\(newest)"
            return names.contains(name)
                && names.filter { $0 != "training_args.bin" }
                    .allSatisfy { size(of: $0, in: checkpoint(newest)) == size(of: $0, in: reference) }
        }
    }

    // MARK: The end

    /// Checks that the final weights are those of the reference.
    func checkEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let weights = try File.read("\(agent.folder.work)/final/model.safetensors")
        #expect(!weights.isEmpty, sourceLocation: sourceLocation)
        #expect(try weights == File.read("\(reference)/final/model.safetensors"), sourceLocation: sourceLocation)
    }
}
