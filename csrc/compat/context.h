/* C stacks to switch between, where the C library has them (ucontext): musl has not. */
#ifndef MODM_COMPAT_CONTEXT_H
#define MODM_COMPAT_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GLIBC__) || defined(__FreeBSD__) || defined(__NetBSD__)
#include <ucontext.h>

enum { MODM_HAS_CONTEXT = 1 };

typedef ucontext_t modm_context;

/* makecontext passes integers alone. */
static inline void
modm_context_enter (unsigned fn_high, unsigned fn_low, unsigned data_high, unsigned data_low)
{
   uintptr_t fn = (uintptr_t) ((uint64_t) fn_high << 32 | fn_low);
   uintptr_t data = (uintptr_t) ((uint64_t) data_high << 32 | data_low);
   ((void (*) (void *)) fn) ((void *) data); /* NOLINT(performance-no-int-to-ptr) */
}

/* Makes it call fn on the stack when it is switched to; fn must not return. */
static inline void
modm_context_make (modm_context *c, void *stack, size_t size, void (*fn) (void *), void *data)
{
   uint64_t f = (uintptr_t) fn, d = (uintptr_t) data;
   (void) getcontext (c);
   c->uc_stack.ss_sp = stack;
   c->uc_stack.ss_size = size;
   c->uc_link = NULL;
   makecontext (c, (void (*) (void)) modm_context_enter, 4, (unsigned) (f >> 32), (unsigned) f,
                (unsigned) (d >> 32), (unsigned) d);
}

static inline void
modm_context_switch (modm_context *from, modm_context *to)
{
   (void) swapcontext (from, to);
}
#else
enum { MODM_HAS_CONTEXT = 0 };

typedef struct modm_context {
   int none;
} modm_context;

static inline void
modm_context_make (modm_context *c, void *stack, size_t size, void (*fn) (void *), void *data)
{
   (void) c, (void) stack, (void) size, (void) fn, (void) data;
}

static inline void
modm_context_switch (modm_context *from, modm_context *to)
{
   (void) from, (void) to;
}
#endif

#endif
