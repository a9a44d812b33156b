/* query: filters, options, and the operations of querysets and of saving.
 *
 * filter.c compiles a filter: a table whose keys are a model's field names, or dotted paths
 * (path.c), and whose values are data or operators. Data is coerced by its field. An operator is a
 * userdata that only modm's constructors make (operator.c), so a table out of a request's JSON can
 * never become one; a key that begins with $ is refused wherever it stands in a value. What goes
 * wrong is one of two: misuse (an unknown field, a filter without a condition), which the caller
 * raises, and data that its field refuses, which is returned as an error.
 *
 * join.c puts the conditions of a queryset and the class filter together. find.c makes the
 * operations that read and hands out what they fetched; write.c makes update and delete, modify.c
 * findAndModify; update.c and change.c compile changes of fields as filter.c does conditions;
 * save.c and bulk.c write documents. No function here runs an operation: Lua does, since a
 * transport may yield there (design, section 5). An operation is a userdata from the moment it is
 * made, so whatever throws later leaks nothing.
 */
#ifndef MODM_QUERY_H
#define MODM_QUERY_H

#include "codec/codec.h"
#include "driver/driver.h"

/* Appends the element {_cls: ...} that limits a query to the schema's model and what extends it.
 * False, and nothing appended, for a final model. */
bool modm_query_append_class (lua_State *L, const modm_schema *s, modm_buffer *b);

/* Into the table at the top: filter, join, find, aggregate, batch, update, delete, save, ... */
void modm_query_open (lua_State *L);

#endif
