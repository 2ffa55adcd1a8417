/// What the Glibc module lacks: GNU extensions, prctl, signalfd and the wait-status macros. One line each.
///
/// _GNU_SOURCE would change types that the Glibc module has already, so GNU functions are declared here instead.
#pragma once
#ifdef __linux__

#include <linux/magic.h>
#include <linux/stat.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>
#include <sys/wait.h>

int pipe2(int ends[2], int flags);
int syncfs(int file);
int sync_file_range(int file, off_t offset, off_t count, unsigned int flags);
int statx(int folder, const char *path, int flags, unsigned int mask, struct statx *status);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

static const int linux_spawn_setsid = 0x80;  // POSIX_SPAWN_SETSID, <spawn.h>
static const unsigned linux_start_writing = 2;  // SYNC_FILE_RANGE_WRITE, <fcntl.h>
static const int linux_open_as_path = 010000000;  // O_PATH, <fcntl.h>
static const int linux_set_pipe_size = 1031;  // F_SETPIPE_SZ, <fcntl.h>

static inline int linux_wexited(int status) { return WIFEXITED(status); }
static inline int linux_wexitstatus(int status) { return WEXITSTATUS(status); }
static inline int linux_wtermsig(int status) { return WTERMSIG(status); }

/// Few arenas, and large blocks given back as soon as they are free, mallopt(3): by default each thread has an arena
/// of its own, and a large block that was freed once makes all later ones stay.
static inline void linux_keep_memory_small(void) {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

/// Orphans below this process become its children, prctl(2).
static inline int linux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
/// The calling process is sent `signal` when its parent ends, prctl(2).
static inline int linux_signal_on_parent_death(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
static inline int linux_signalfd(const sigset_t *set) { return signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK); }
/// The pid of some child that has ended, which stays a zombie for its owner to reap; not above 0 where there is none, waitid(2).
static inline pid_t linux_peek_ended_child(void) {
    siginfo_t info;
    info.si_pid = 0;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : -1;
}
/// Sends `signal` with a number that `linux_await_signal` returns; the plain signal where the system has no room for one, sigqueue(3).
static inline int linux_queue_signal(pid_t process, int signal, int number) {
    union sigval value = {.sival_int = number};
    return sigqueue(process, signal, value) == 0 ? 0 : kill(process, signal);
}
/// As sigwaitinfo(2). `number` is what `sender` queued with the signal; 0 where it came otherwise.
static inline int linux_await_signal(const sigset_t *set, pid_t sender, int *number) {
    siginfo_t info;
    int signal = sigwaitinfo(set, &info);
    *number = signal > 0 && info.si_code == SI_QUEUE && info.si_pid == sender ? info.si_value.sival_int : 0;
    return signal;
}
static inline int linux_name_process(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
/// When the file at `path` was created, in nanoseconds since 1970; below 0 where that is not told, statx(2).
static inline long long linux_birth_time(const char *path) {
    struct statx status;
    const int here = -100;  // AT_FDCWD, <fcntl.h>
    if (statx(here, path, 0, STATX_BTIME, &status) != 0 || !(status.stx_mask & STATX_BTIME)) return -1;
    return status.stx_btime.tv_sec * 1000000000LL + status.stx_btime.tv_nsec;
}
/// Whether `path` is on a FUSE file system: its number in statfs(2).
static inline int linux_is_fuse(const char *path) {
    struct statfs system;
    return statfs(path, &system) == 0 && system.f_type == FUSE_SUPER_MAGIC;
}
/// Whether `path` is on a file system of this machine's own, so that inotify(7) tells of all that changes there.
static inline int linux_tells_changes(const char *path) {
    struct statfs system;
    if (statfs(path, &system) != 0) return 0;
    switch (system.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case 0x2fc12fc1:  // of ZFS, which is not in <linux/magic.h>
        return 1;
    default:
        return 0;
    }
}

#endif
