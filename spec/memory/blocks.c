/* A malloc that counts its blocks, and memory that ends, for walk.c. */
#include "blocks.h"

#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool limited, of_module;
static atomic_long asked, first, last, blocks; /* those from first to last fail */

static bool
fails_now (void)
{
   if (!limited)
      return false;
   long n = ++asked;
   return n >= first && n <= last;
}

void
limit_memory (long n, long fails)
{
   asked = 0;
   first = n;
   last = fails == 0 ? LONG_MAX : n + fails - 1;
   limited = n > 0;
}

long
unlimit_memory (void)
{
   limited = false;
   return asked;
}

long
blocks_left (void)
{
   return blocks;
}

void
forget_blocks (void)
{
   blocks = 0;
}

#ifdef __SANITIZE_ADDRESS__
#define raw_realloc realloc
#define raw_free free

bool
watch_module (bool its_own_fail)
{
   return !its_own_fail;
}

void
close_leaked_file (void)
{
}
#else
void *__libc_malloc (size_t);
void *__libc_calloc (size_t, size_t);
void *__libc_realloc (void *, size_t);
void *__libc_memalign (size_t, size_t);
void __libc_free (void *);
FILE *_IO_fopen (const char *, const char *);
int _IO_fclose (FILE *);
#define raw_realloc __libc_realloc
#define raw_free __libc_free

static uintptr_t low, high; /* our C module */

#define caller_fails(caller)                                                                       \
   (of_module && (uintptr_t) (caller) -low < high - low && fails_now () && (errno = ENOMEM))

static void *
counted (void *block)
{
   if (block)
      blocks++;
   return block;
}

void *
malloc (size_t size)
{
   return caller_fails (__builtin_return_address (0)) ? NULL : counted (__libc_malloc (size));
}

void *
calloc (size_t n, size_t size)
{
   return caller_fails (__builtin_return_address (0)) ? NULL : counted (__libc_calloc (n, size));
}

void *
realloc (void *block, size_t size)
{
   if (caller_fails (__builtin_return_address (0)))
      return NULL;
   void *grown = __libc_realloc (block, size);
   if (!block && grown)
      blocks++;
   if (block && !grown && size == 0)
      blocks--;
   return grown;
}

void
free (void *block)
{
   if (block)
      blocks--;
   __libc_free (block);
}

int
posix_memalign (void **block, size_t alignment, size_t size)
{
   *block = counted (__libc_memalign (alignment, size));
   return *block ? 0 : ENOMEM;
}

void *
aligned_alloc (size_t alignment, size_t size)
{
   return counted (__libc_memalign (alignment, size));
}

static int
find_module (struct dl_phdr_info *info, size_t size, void *unused)
{
   if (!strstr (info->dlpi_name, "modm/core.so"))
      return 0;
   low = UINTPTR_MAX;
   for (int i = 0; i < info->dlpi_phnum; i++) {
      uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      if (info->dlpi_phdr[i].p_type != PT_LOAD)
         continue;
      low = begin < low ? begin : low;
      high = begin + info->dlpi_phdr[i].p_memsz;
   }
   return 1;
}

bool
watch_module (bool its_own_fail)
{
   dl_iterate_phdr (find_module, NULL);
   of_module = its_own_fail;
   return blocks > 0; /* malloc is ours */
}

static FILE *opened; /* the last file that LuaJIT has open still */

FILE *
fopen64 (const char *path, const char *mode)
{
   return opened = _IO_fopen (path, mode);
}

int
fclose (FILE *file)
{
   if (file == opened)
      opened = NULL;
   return _IO_fclose (file);
}

void
close_leaked_file (void)
{
   if (opened)
      fclose (opened);
}
#endif

void *
lua_allocate (void *unused, void *block, size_t old, size_t size)
{
   if (size == 0) {
      raw_free (block);
      return NULL;
   }
   if ((!block || size > old) && !of_module && fails_now ())
      return NULL;
   return raw_realloc (block, size);
}
