internal import Glibc
internal import Shared

/// A `git` for installers that keeps passwords out of the repositories that it clones.
///
/// pip passes `https://user:token@host/…` to git, which writes the URL into the repository, on the volume. This one
/// passes the URL without the user, and the user in a git config in its own folder, on the pod's own disk.
struct GitWithoutPasswords: Sendable {
    /// On the pod's own disk, for this user alone.
    let folder: String

    /// Writes the program into the folder. Returns false if there is no git in `path`, a value of PATH.
    func make(path: String?) throws -> Bool {
        guard let git = try? Job.find("git", path: path) else { return false }
        try File.replace("\(folder)/git", with: Array(script(git).utf8), mode: 0o700)
        return true
    }

    private func script(_ git: String) -> String {
        """
        #!/bin/sh
        git=\(TrainingCommand.quote(git))
        config=\(TrainingCommand.quote("\(folder)/git.config"))
        for argument do
            shift
            case $argument in
            http://*@* | https://*@*)
                scheme=${argument%%://*}
                rest=${argument#*://}
                authority=${rest%%/*}
                case $authority in
                *@*)
                    clean=$scheme://${authority##*@}${rest#"$authority"}
                    (
                        umask 077
                        "$git" config --file "$config" "url.$argument.insteadOf" "$clean"
                        "$git" config --file "$config" "url.$scheme://$authority/.insteadOf" "$scheme://${authority##*@}/"
                    )
                    argument=$clean
                    ;;
                esac
                ;;
            esac
            set -- "$@" "$argument"
        done
        if [ -e "$config" ]; then exec "$git" -c include.path="$config" "$@"; fi
        exec "$git" "$@"

        """
    }
}
