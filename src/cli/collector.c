/* SPDX-License-Identifier: Apache-2.0 */
/* loophound collector: started by the library under a bare LD_PRELOAD, already detached, with an
 * empty environment. Nobody reads its exit status. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "collect/link/collector.h"
#include "collect/sys/descriptors.h"
#include "common/protocol.h"

#define NICENESS 5

/* It ends when its program is gone and told, which is soon; a service manager that signals a whole
 * group must not take the last reports away. */
static void outlive_the_program(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_IGN);
}

static int serve(struct lh_collector *collector)
{
    while (!lh_collector_idle(collector)) {
        struct pollfd ready = {.fd = lh_collector_fd(collector), .events = POLLIN};
        if (poll(&ready, 1, -1) < 0 && errno != EINTR)
            return -errno;
        int error = lh_collector_step(collector);
        if (error < 0)
            return error;
    }
    return 0;
}

int lh_cmd_collector(int argc, char **argv)
{
    int status = lh_no_arguments(argc, argv);
    if (status != 0)
        return status < 0 ? 0 : status;
    outlive_the_program();
    lh_allow_more_descriptors();
    (void)!nice(NICENESS); /* the program comes first */
    struct lh_collector *collector = lh_collector_new();
    if (collector == NULL)
        return LH_EXIT_FAILED;
    int error = lh_collector_adopt(collector, LH_COLLECTOR_SOCKET_FD);
    if (error == 0)
        error = serve(collector);
    lh_collector_free(collector);
    return error == 0 ? 0 : LH_EXIT_FAILED;
}
