internal import Shared

/// Whether a training ended for lack of memory: the kernel's word for the host's, the final traceback's for the GPU's.
enum OutOfMemory {
    private static let texts = ["CUDA out of memory", "OutOfMemoryError", "CUDA error: out of memory", "MemoryError"]

    /// `lines` are the last ones that the training printed. A rank's begin with `[rank0]: `.
    static func isTold(in lines: [String]) -> Bool {
        guard let traceback = lines.lastIndex(where: { $0.contains("Traceback (most recent call last)") }) else {
            return false
        }
        return lines[traceback...].contains { line in texts.contains { line.contains($0) } }
    }
}
