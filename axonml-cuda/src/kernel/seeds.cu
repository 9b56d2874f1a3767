// Seed cotangents of recorders, at the places of the recorded values.

template <u32... STATE> struct RecordedSeeds {
  DEVICE_MEMBER void add(const Context& x, u32 index, u32 state, REAL (&u)[P], REAL (&states)[P][STATES_OR_1]) const {
    const ObserverWords* words = (const ObserverWords*)(x.header + 1) + index;
    const u32 first = (u32)words->first_row, every = (u32)words->parameter;
    if (words->seeded == 0 || state < first || (state - first) % every != 0) return;
    const u32 row = (state - first) / every;
    if (row >= words->rows) return;
    const u32* place = x.ints + words->selections + (u64)x.selection * SLOTS + x.lane;
    const u64 width = words->width;
    const REAL* from = x.out_reals + words->reals + ((u64)x.fiber * words->rows + row) * (1 + sizeof...(STATE)) * width;
    EACH_NODE {
      if (place[p * LANES] != NONE) {
        const REAL* at = from + place[p * LANES];
        u[p] += *at;
        ((at += width, states[p][STATE] += *at), ...);
      }
    }
  }
};
