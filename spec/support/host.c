/* What the specs' host programs share, see host.h. */
#include "host.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
take_option (const char *argument, const host_option *known)
{
   for (; known->name; known++)
      if (!strncmp (argument, known->name, strlen (known->name))) {
         *known->value = atol (strchr (argument, '=') + 1);
         return true;
      }
   return false;
}

bool
host_options (int n, char **arguments, const host_option *known)
{
   for (int i = 0; i < n; i++)
      if (!take_option (arguments[i], known))
         return false;
   return true;
}

static void *
idle (void *nothing)
{
   return nothing;
}

void
host_settle (void)
{
   pthread_t thread;
   dlerror ();
   dlerror ();
   usleep (10000);
   if (!pthread_create (&thread, NULL, idle, NULL))
      pthread_join (thread, NULL);
}
