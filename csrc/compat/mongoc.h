/* The one place that knows libmongoc 1.x from 2.x. */
#ifndef MODM_COMPAT_MONGOC_H
#define MODM_COMPAT_MONGOC_H

#include <mongoc/mongoc.h>

#endif
