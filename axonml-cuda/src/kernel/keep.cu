// Stores states in the forward pass, and resumes from a checkpoint.

// Stores the state of index `state`, if the plan contains it.
DEVICE void keep(const Context& x, u32 state, const REAL (&u)[P], const REAL (&states)[P][STATES_OR_1], const REAL (&g)[P],
                 const REAL (&j)[P], const Modes& modes) {
  const u32 from = (u32)x.header->keep_from, begin = (u32)x.header->begin_step, segment = (u32)x.header->segment;
  const bool row = state >= from;
  if (!row && state != begin && state % segment != 0) return;
  REAL* to = row ? kept_state(x, state - from) : kept_checkpoint(x, state / segment - begin / segment);
  EACH_NODE {
    to[p * LANES] = u[p];
#pragma unroll
    for (u32 s = 0; s < STATES; ++s) to[(1 + s) * SLOTS + p * LANES] = states[p][s];
  }
  to += KEPT_G * SLOTS;
  if (KEEP_G || !row) {
    EACH_NODE { to[p * LANES] = g[p]; }
    to += SLOTS;
  }
  if (KEEP_J || !row) {
    EACH_NODE { to[p * LANES] = j[p]; }
    to += SLOTS;
  }
#if MODES
  if (KEEP_MODES || !row) {
    EACH_NODE {
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) to[m * SLOTS + p * LANES] = modes.y[p][m];
    }
  }
#endif
}

// The state that a segment begins with.
DEVICE void load_checkpoint(const Context& x, REAL (&u)[P], REAL (&states)[P][STATES_OR_1], REAL (&g)[P], REAL (&j)[P],
                            Modes& modes) {
  const REAL* from = kept_checkpoint(x, (u32)x.header->checkpoint);
  EACH_NODE {
    u[p] = from[p * LANES];
#pragma unroll
    for (u32 s = 0; s < STATES; ++s) states[p][s] = from[(1 + s) * SLOTS + p * LANES];
    g[p] = from[(1 + STATES) * SLOTS + p * LANES];
    j[p] = from[(2 + STATES) * SLOTS + p * LANES];
#if MODES
#pragma unroll
    for (u32 m = 0; m < MODES; ++m) modes.y[p][m] = from[(3 + STATES + m) * SLOTS + p * LANES];
#endif
  }
}
