public enum ProviderName: String, Sendable, Codable, CaseIterable {
    case local
    case runpod
}
