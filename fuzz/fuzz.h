/* fuzz: what the targets share. A target is a C file that draws Lua values from the fuzzer's bytes
 * and a Lua file of the same name that judges them.
 *
 * The Lua file returns a judge, and perhaps two lists: keys (texts that tables have as keys) and
 * makers (functions that make a value of one or two others). What the judge raises is a finding, as
 * is what a sanitizer says; so it calls what may refuse its input by pcall. A Lua state serves many
 * inputs and is then closed and made anew. While an input is drawn its stack holds judge, keys,
 * makers, and the tables drawn so far.
 */
#ifndef MODM_FUZZ_H
#define MODM_FUZZ_H

#include "bson/bson.h"

typedef struct fuzz_input {
   const uint8_t *at, *end;
   int again; /* how often a table may still be drawn again: a few can come to very many */
} fuzz_input;

/* The state for the next input, with the script's judge. */
lua_State *fuzz_state (const char *script);
/* Calls the judge with the n values at the top. */
void fuzz_judge (lua_State *L, int n);

/* A number below `limit`, at most 256; 0 when the bytes are used up. */
uint32_t fuzz_draw (fuzz_input *in, uint32_t limit);
/* Up to 255 bytes of the input. */
const char *fuzz_draw_text (fuzz_input *in, size_t *len);
void fuzz_push_key (lua_State *L, fuzz_input *in);
/* Any value but nil, of tables no deeper than a few levels unless one is drawn that is. */
void fuzz_push_value (lua_State *L, fuzz_input *in, int depth);
/* What a maker makes of drawn values; false where it refused them. */
void fuzz_push_made (lua_State *L, fuzz_input *in, int depth);
void fuzz_push_table (lua_State *L, fuzz_input *in, int depth);

#endif
