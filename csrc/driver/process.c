/* Which process this is: a number that each fork changes, as asking the system for every operation
 * would cost a call of it each time. */
#include "driver/driver_private.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint number = 1; /* 0 is no process */

static void
begin_child (void)
{
   atomic_fetch_add (&number, 1);
}

static void
begin (void)
{
   (void) pthread_atfork (NULL, NULL, begin_child);
}

unsigned
modm_process (void)
{
   (void) pthread_once (&once, begin);
   return atomic_load_explicit (&number, memory_order_relaxed);
}
