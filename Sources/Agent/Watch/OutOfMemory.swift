internal import Shared

/// Finds in the last traceback that a training ran out of memory. That is the only sign if the GPU's memory ran out.
enum OutOfMemory {
    private static let texts = ["CUDA out of memory", "OutOfMemoryError", "CUDA error: out of memory", "MemoryError"]

    /// `lines` are the last lines that the training printed. Those of one rank of several begin with `[rank0]: `.
    static func isTold(in lines: [String]) -> Bool {
        guard let traceback = lines.lastIndex(where: { $0.contains("Traceback (most recent call last)") }) else {
            return false
        }
        return lines[traceback...].contains { line in texts.contains { line.contains($0) } }
    }
}
