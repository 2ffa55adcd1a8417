internal import Shared

/// A file format that the agent can check.
enum FileFormat {
    case safetensors, shardIndex, json, zip, pickle, oldTorch, numpy, hdf5, tar, distributedPart, distributedMetadata

    /// Chooses the format by the file's name, and for an ambiguous or unknown name by its first bytes. Returns nil for
    /// an unknown format.
    ///
    /// Throws `Damage` if the first bytes fit no format that the name allows.
    init?(name: String, file: InputFile) throws {
        let name = name.lastComponent
        if name == DistributedFormat.metadata {
            self = .distributedMetadata
            return
        }
        if DistributedFormat.isPart(name) {
            self = .distributedPart
            return
        }
        switch name.split(separator: ".").last {
        case "safetensors": self = .safetensors
        case "json":
            self = name.hasSuffix(".safetensors.index.json") || name.hasSuffix(".bin.index.json") ? .shardIndex : .json
        case "npy": self = .numpy
        case "npz": self = .zip
        case "pt", "pth", "ckpt":
            guard let format = try Self(content: file, isTorch: true) else { return nil }
            self = format
        case "bin", "pkl", "pickle":
            guard let format = try Self(content: file, isTorch: false) else { return nil }
            self = format
        default:
            guard let format = try Self(mark: file) else { return nil }
            self = format
        }
        if file.size == 0 { throw Damage("is empty") }
    }

    /// Chooses the format by a mark that is long enough to be no accident. Returns nil without one.
    private init?(mark file: InputFile) throws {
        let head = try file.head(TarFormat.markEnd)
        if head.starts(with: ZipFormat.mark) {
            self = .zip
        } else if head.starts(with: PickleFormat.oldTorchMark) {
            self = .oldTorch
        } else if PickleFormat.isFramedPickle(head) {
            self = .pickle
        } else if head.starts(with: HDF5Format.mark) {
            self = .hdf5
        } else if head.starts(with: NumpyFormat.mark) {
            self = .numpy
        } else if TarFormat.isTar(head) {
            self = .tar
        } else {
            return nil
        }
    }

    private init?(content file: InputFile, isTorch: Bool) throws {
        if file.size == 0 { throw Damage("is empty") }
        let head = try file.head(PickleFormat.oldTorchMark.count)
        if head.starts(with: ZipFormat.mark) {
            self = .zip
        } else if head == PickleFormat.oldTorchMark {
            self = .oldTorch
        } else if PickleFormat.isPickle(head) {
            self = .pickle
        } else if head.count < 4 && (isTorch || ZipFormat.mark.starts(with: head) || head[0] == 0x80) {
            throw Damage("is cut off after \(head.count) bytes")
        } else if isTorch && head.allSatisfy({ $0 == 0 }) {
            throw Damage("begins with zeros, like a file whose content was lost")
        } else {
            return nil
        }
    }

    /// Whether `check` finds any loss at the end of the file. For the other formats it finds only some.
    var showsLostEnd: Bool {
        switch self {
        case .safetensors, .shardIndex, .json, .zip, .hdf5, .tar: true
        case .pickle, .oldTorch, .numpy, .distributedPart, .distributedMetadata: false
        }
    }

    /// Throws `Damage` if `file` is not whole, `Errno` if it cannot be read, and `Unchecked` if its form cannot be
    /// checked. `folder` contains the file.
    func check(_ file: InputFile, in folder: String) throws {
        switch self {
        case .safetensors: try SafetensorsFormat.check(file)
        case .shardIndex: try ShardIndexFormat.check(file, in: folder)
        case .json: try JSONFormat.check(file)
        case .zip: try ZipFormat.check(file)
        case .pickle: try PickleFormat.check(file)
        case .oldTorch: try PickleFormat.checkOldTorch(file)
        case .numpy: try NumpyFormat.check(file)
        case .hdf5: try HDF5Format.check(file)
        case .tar: try TarFormat.check(file)
        case .distributedPart: try DistributedFormat.checkPart(file)
        case .distributedMetadata: try DistributedFormat.checkMetadata(file, in: folder)
        }
    }
}

/// The file has a known name, but a form that cannot be checked.
struct Unchecked: Error {}
