/* SPDX-License-Identifier: Apache-2.0 */
#include "pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

int pty_open(char *name, size_t size, int *held)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios t;

    if (fd < 0)
        return -1;
    if (grantpt(fd) == 0 && unlockpt(fd) == 0 && ptsname_r(fd, name, size) == 0 &&
        tcgetattr(fd, &t) == 0) {
        cfmakeraw(&t);
        *held = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (*held >= 0 && tcsetattr(fd, TCSANOW, &t) == 0)
            return fd;
    }
    close(fd);
    return -1;
}
