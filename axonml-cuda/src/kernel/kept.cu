// Stored trajectory and checkpoints of the forward pass. A fiber's memory holds checkpoints, [checkpoint][u, states, G,
// J, modes][warp index], from each of which a segment of steps can be replayed to the same bits, and the rows of one
// segment, [state][u, states, and the stored ones of G, J and modes][warp index].

#define CHECKPOINT_ROWS (3 + STATES + MODES)
#define KEPT_G (1 + STATES)
#define KEPT_J (KEPT_G + KEEP_G)
#define KEPT_MODES (KEPT_J + KEEP_J)
#define KEPT_ROWS (KEPT_MODES + KEEP_MODES * MODES)

DEVICE REAL* kept_memory(const Context& x) {
  const u64 rows = x.header->checkpoints * CHECKPOINT_ROWS + x.header->kept_states * KEPT_ROWS;
  return x.kept + (u64)x.fiber * rows * SLOTS + x.lane;
}

DEVICE REAL* kept_checkpoint(const Context& x, u32 index) {
  return kept_memory(x) + (u64)index * CHECKPOINT_ROWS * SLOTS;
}

// The `index`th state of the segment.
DEVICE REAL* kept_state(const Context& x, u32 index) {
  return kept_memory(x) + (x.header->checkpoints * CHECKPOINT_ROWS + (u64)index * KEPT_ROWS) * SLOTS;
}
