#include "CLinux.h"

#ifdef __linux__
#include <sys/stat.h>

long long linux_modified_time(const void *status) {
    const struct timespec time = ((const struct stat *)status)->st_mtim;
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}
#endif
