/* SPDX-License-Identifier: Apache-2.0 */
// A module whose constructor, which runs while dlopen(3) has the loader's lock, says so on one
// descriptor and waits for a byte on the other: SLOW_MODULE="SAYS WAITS".
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

__attribute__((constructor)) static void wait_in_constructor()
{
    int says = -1;
    int waits = -1;
    char byte = 'x';
    const char *fds = std::getenv("SLOW_MODULE");
    if (fds == nullptr || std::sscanf(fds, "%d %d", &says, &waits) != 2)
        return;
    if (write(says, &byte, 1) != 1 || read(waits, &byte, 1) != 1)
        std::abort();
}
