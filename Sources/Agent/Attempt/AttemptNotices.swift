internal import FoundationEssentials
internal import Shared

/// Posts the notices of one attempt to the URLs of `notify`. The attempt does not wait for them.
struct AttemptNotices: Sendable {
    let journal: Journal
    let log: LogWriter
    let notifier: Notifier

    /// `record` is the one that the notice is about; nil: this attempt's own.
    func post(_ event: Notice.Event, of record: AttemptRecord? = nil, message: String? = nil, tries: Int = 4) {
        let notice = Notice(event, of: record ?? journal.current, message: message, at: Date())
        notifier.send(notice, tries: tries) { [journal, log] in
            // The exit code stays the last line of the log.
            if journal.current.isOver { Console.say($0) } else { log.say($0) }
        }
    }
}
