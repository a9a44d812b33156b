/* The functions of the core table that document gives, by file. */
#ifndef MODM_DOCUMENT_PRIVATE_H
#define MODM_DOCUMENT_PRIVATE_H

#include "document/document.h"

extern const luaL_Reg modm_document_class_functions[];
extern const luaL_Reg modm_document_construct_functions[];
extern const luaL_Reg modm_document_many_functions[];
extern const luaL_Reg modm_document_refresh_functions[];
extern const luaL_Reg modm_document_state_functions[];

#endif
