/* SPDX-License-Identifier: Apache-2.0 */
// A library whose constructor and destructor sleep for 80 ms each: see guest.c.
#include <ctime>
#include <unistd.h>

namespace
{
void block()
{
    const timespec time = {0, 80 * 1000000};
    nanosleep(&time, nullptr);
}
} // namespace

__attribute__((constructor)) static void plugin_begins()
{
    block();
}

__attribute__((destructor)) static void plugin_ends()
{
    block();
    if (write(STDOUT_FILENO, "plugin ends\n", 12) != 12)
        _exit(3);
}
