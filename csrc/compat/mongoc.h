/* The one place that knows libmongoc 1.x from 2.x. */
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

#endif
