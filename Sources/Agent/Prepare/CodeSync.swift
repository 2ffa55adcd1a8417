internal import Shared

struct CodeSync {
    let volume: Volume; let run: RunFolder
    func sync(_ code: PackedCode, isCancelled: () -> Bool) throws {}
}
