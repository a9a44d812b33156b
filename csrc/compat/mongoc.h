/* The one place that knows which libmongoc this is: 1.x, 2.x, and what came with which version. */
#ifndef MODM_COMPAT_MONGOC_H
#define MODM_COMPAT_MONGOC_H

#include <mongoc/mongoc.h>

/* Deprecated since 2.1, but there are servers that have hedged reads. */
static inline void
modm_read_prefs_set_hedge (mongoc_read_prefs_t *prefs, const bson_t *hedge)
{
#if MONGOC_CHECK_VERSION(2, 1, 0)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
   mongoc_read_prefs_set_hedge (prefs, hedge);
#if MONGOC_CHECK_VERSION(2, 1, 0)
#pragma GCC diagnostic pop
#endif
}

/* Since 1.26 a client can be told how to sleep. MODM_HAS_USLEEP: those that modm was built with. */
#if MONGOC_CHECK_VERSION(1, 26, 0)
enum { MODM_HAS_USLEEP = 1 };
static inline void
modm_client_set_usleep (mongoc_client_t *client, void (*sleeps) (int64_t, void *), void *data)
{
   mongoc_client_set_usleep_impl (client, sleeps, data);
}
#else
enum { MODM_HAS_USLEEP = 0 };
static inline void
modm_client_set_usleep (mongoc_client_t *client, void (*sleeps) (int64_t, void *), void *data)
{
   (void) client, (void) sleeps, (void) data;
}
#endif

#endif
