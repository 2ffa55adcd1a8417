import Foundation

/// What is not known of RunPod, or differs from day to day. `PUT /emulator/switches` changes any of them.
struct Switches: Codable, Sendable {
    /// What a pod's own key may do.
    enum PodKey: String, Codable, Sendable {
        /// Everything with its own pod.
        case all
        /// Actions, but no reading.
        case noRead
        /// Nothing on v2; GraphQL works.
        case graphQLOnly
        /// Nothing at all: an empty 403.
        case none
    }

    /// A refusal or a loss of one create, taken from the front of `createTrouble`.
    enum Trouble: String, Codable, Sendable {
        case capacity, notOffered, balance, forbidden, failed, rateLimited
        /// The pod is created and the connection cut before the answer.
        case lostAnswer
        /// The pod is created and the answer cut in its body.
        case cutAnswer
        /// The pod never gets its runtime.
        case stuck
    }

    var podKey = PodKey.all
    var createTrouble: [Trouble] = []
    /// GPU types with no free machine.
    var soldOut: [String] = []
    /// Spot rents that are refused before one succeeds.
    var spotRefusals = 0
    /// The image has no agent: its container ends at once.
    var breaksContainer = false
    /// The next start of a stopped pod finds its GPU taken.
    var gpuTaken = false
    /// Every request to the API gets 503.
    var isDown = false
    /// Seconds from a create or a start until the container runs.
    var pull = 0.2
    /// Seconds from a container's exit until it is started again.
    var restart = 0.5
    /// Seconds from SIGTERM to SIGKILL.
    var grace = 5.0
    /// The status before the container runs is PROVISIONING, not RUNNING.
    var showsProvisioning = false
    /// A deleted pod stays readable for so many seconds.
    var deletedStays = 0.0
    /// Pods on a page of the list at most.
    var page = 1000
    /// The account may not keep secrets.
    var refusesSecrets = false
    var balance = 25.0

    /// The switches with those of `change` replaced.
    func changed(by change: JSONValue) -> Switches? {
        guard var all = (try? JSONEncoder().encode(self)).flatMap({ JSONValue($0)?.object }),
            let change = change.object, change.keys.allSatisfy({ all[$0] != nil })
        else { return nil }
        all.merge(change) { $1 }
        return try? JSONDecoder().decode(Switches.self, from: Data(JSONValue.object(all).bytes))
    }
}
