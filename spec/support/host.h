/* What the specs' host programs share: options, and threads that end. */
#ifndef MODM_SPEC_HOST_H
#define MODM_SPEC_HOST_H

#include <stdbool.h>

typedef struct host_option {
   const char *name; /* with its "="; NULL ends the list */
   long *value;
} host_option;

/* Takes arguments of the form NAME=NUMBER; false where a name is not known. */
bool host_options (int n, char **arguments, const host_option *known);

/* Waits a moment: threads that end may take a while to free what they have, the stack of one is
 * given back when the next has ended, and dlsym keeps its last error until that was asked for
 * twice. */
void host_settle (void);

#endif
