/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's list of locks: /proc/locks, see proc_locks(5). */
#include "io/lock_holder.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool find_pid(const struct stat *st, int *pid)
{
    FILE *f = fopen("/proc/locks", "re");
    char row[256];
    bool found = false;

    while (f && !found && fgets(row, sizeof row, f)) {
        unsigned int major_id, minor_id;
        unsigned long inode;

        found = sscanf(row, "%*d: FLOCK %*s %*s %d %x:%x:%lu", pid, &major_id,
                       &minor_id, &inode) == 4 &&
                *pid > 0 && inode == st->st_ino && major_id == major(st->st_dev) &&
                minor_id == minor(st->st_dev);
    }
    if (f)
        fclose(f);
    return found;
}

bool lock_holder(int fd, int *pid, char *name, size_t size)
{
    char path[32];
    struct stat st;
    FILE *f;

    if (fstat(fd, &st) < 0 || !find_pid(&st, pid))
        return false;
    snprintf(path, sizeof path, "/proc/%d/comm", *pid);
    f = fopen(path, "re");
    if (!f || !fgets(name, (int)size, f))
        snprintf(name, size, "unknown");
    name[strcspn(name, "\n")] = '\0';
    if (f)
        fclose(f);
    return true;
}
