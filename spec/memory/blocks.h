/* Memory that ends when it is told to, and how many blocks of it are in use. */
#ifndef MODM_SPEC_BLOCKS_H
#define MODM_SPEC_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the n-th allocation fails, and those after it, `fails` in all (0: all that follow);
 * n = 0: none. */
void limit_memory (long n, long fails);

/* Ends the limit; how many allocations there were. */
long unlimit_memory (void);

/* From now on not the Lua state's allocations fail but those of the C module, if so told. False
 * when malloc cannot be counted. */
bool watch_module (bool its_own_fail);

/* Those in use, since they were forgotten; with the sanitizers, which count better, none. */
long blocks_left (void);
void forget_blocks (void);

/* LuaJIT leaves the file that it was to load open when memory ends then. */
void close_leaked_file (void);

/* A lua_Alloc. Its blocks are not counted, as lua_close frees all of them. */
void *lua_allocate (void *unused, void *block, size_t old, size_t size);

#endif
