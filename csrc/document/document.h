/* document: the Lua face of documents. Construction, reading and assigning fields, equality,
 * iteration, and the functions of the core table that lua/modm/document.lua builds instances'
 * methods of.
 *
 * A model's documents share one metatable, made by core.document_class. Its __index is a C closure
 * over the model's names and methods. For a model whose reads may have to run Lua (a reference is
 * fetched, a default is called) Lua wraps that closure, so that no C frame stands below what may
 * yield.
 */
#ifndef MODM_DOCUMENT_H
#define MODM_DOCUMENT_H

#include "codec/codec.h"

/* Registers the room's functions into the table at the top. */
void modm_document_open (lua_State *L);

#endif
