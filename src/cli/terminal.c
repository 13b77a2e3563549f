/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals. See terminal.h. */
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_COLUMNS 80

size_t lh_terminal_columns(FILE *file)
{
    struct winsize size = {0};
    if (isatty(fileno(file)) != 1)
        return 0;
    return ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                          : USUAL_COLUMNS;
}
