/* The end of the process: threads keep out of libraries that are about to be taken down.
 *
 * exit() runs the handlers of libcrypto and libmongoc beside whatever threads do. A handler of ours
 * comes before those: nothing begins any more, and what is under way may end, within a time.
 */
#include "driver/pool_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static atomic_bool leaving;
static atomic_int inside; /* threads between enter and leave */

bool
modm_leaving_enter (void)
{
   atomic_fetch_add (&inside, 1);
   if (!atomic_load (&leaving))
      return true;
   atomic_fetch_sub (&inside, 1);
   return false;
}

void
modm_leaving_leave (void)
{
   atomic_fetch_sub (&inside, 1);
}

static void
at_exit (void)
{
   const struct timespec pause = {.tv_nsec = 1000000};
   atomic_store (&leaving, true);
   int64_t until = modm_now_us () + (int64_t) MODM_END_MS * 1000;
   while (atomic_load (&inside) > 0 && modm_now_us () < until)
      (void) nanosleep (&pause, NULL);
}

static void
in_child (void)
{
   atomic_store (&inside, 0); /* they are the parent's */
}

static void
guard (void)
{
   (void) atexit (at_exit);
   (void) pthread_atfork (NULL, NULL, in_child);
}

void
modm_leaving_guard (void)
{
   static pthread_once_t once = PTHREAD_ONCE_INIT;
   pthread_once (&once, guard);
}
