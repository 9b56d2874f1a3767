// Observers: they read every state and accumulate the requested observations. An upward crossing is a state at or above
// the level whose predecessor lay below; the first watched state counts as preceded by one below. Levels are given for
// u, rounded so that comparing u in its own precision decides as comparing the voltage in double precision would.

#define WORDS ((P + 31) / 32)
#define BIT(words, p) ((words)[(p) / 32] >> ((p) % 32) & 1u)

struct Observer {
  u32 index;
  REAL level;
  u32 first_state;
  u32 watched[WORDS];

  // Looked up when needed: pointers would only occupy registers.
  DEVICE_MEMBER const ObserverWords* words(const Context& x) const {
    return (const ObserverWords*)(x.header + 1) + index;
  }

  DEVICE_MEMBER const u32* places(const Context& x) const {
    return x.ints + words(x)->selections + (u64)x.selection * SLOTS + x.lane;
  }

  DEVICE_MEMBER void load_common(const Context& x, u32 number) {
    index = number;
    level = x.reals[x.header->levels + index];
    first_state = (u32)words(x)->first_state;
    const u32* place = places(x);
#pragma unroll
    for (u32 w = 0; w < WORDS; ++w) watched[w] = 0;
    EACH_NODE { watched[p / 32] |= (place[p * LANES] != NONE ? 1u : 0u) << (p % 32); }
  }

  DEVICE_MEMBER bool crosses(u32 p, bool begins, REAL u, REAL before) const {
    return BIT(watched, p) && u >= level && (begins || before < level);
  }
};

// At least so many nodes have crossed. `watched` loses the nodes that have.
struct Active : Observer {
  u32 missing, at;

  DEVICE_MEMBER void load(const Context& x, u32 number) {
    load_common(x, number);
    missing = (u32)words(x)->parameter;
    at = NONE;
  }

  DEVICE_MEMBER void see(const Context&, u32 state, const REAL (&u)[P], const REAL (&before)[P],
                         const REAL (&)[P][STATES_OR_1]) {
    if (at != NONE || state < first_state) return;
    const bool begins = state == first_state;
    bool any = false;
    EACH_NODE { any |= crosses(p, begins, u[p], before[p]); }
    if (__any_sync(ALL_LANES, any)) {
      EACH_NODE {
        const bool crossed = crosses(p, begins, u[p], before[p]);
        watched[p / 32] &= ~((crossed ? 1u : 0u) << (p % 32));
        const u32 count = __popc(__ballot_sync(ALL_LANES, crossed));
        missing = missing > count ? missing - count : 0;
      }
    }
    if (missing == 0) at = state;
  }

  DEVICE_MEMBER bool answered() const { return at != NONE; }

  DEVICE_MEMBER void finish(const Context& x) const {
    if (x.lane == 0) x.out_ints[words(x)->ints + x.fiber] = at;
  }
};

// Crossings per node.
struct Count : Observer {
  u32 counts[P];

  DEVICE_MEMBER void load(const Context& x, u32 number) {
    load_common(x, number);
    EACH_NODE { counts[p] = 0; }
  }

  DEVICE_MEMBER void see(const Context&, u32 state, const REAL (&u)[P], const REAL (&before)[P],
                         const REAL (&)[P][STATES_OR_1]) {
    if (state < first_state) return;
    EACH_NODE { counts[p] += crosses(p, state == first_state, u[p], before[p]) ? 1u : 0u; }
  }

  DEVICE_MEMBER void finish(const Context& x) const {
    u32* to = x.out_ints + words(x)->ints + (u64)x.fiber * SLOTS + x.lane;
    EACH_NODE { to[p * LANES] = counts[p]; }
  }
};

// Every crossing, with the two values around it. Crossings that find no room are counted.
struct Raster : Observer {
  u32 count;

  DEVICE_MEMBER void load(const Context& x, u32 number) {
    load_common(x, number);
    count = 0;
  }

  DEVICE_MEMBER void see(const Context& x, u32 state, const REAL (&u)[P], const REAL (&before)[P],
                         const REAL (&)[P][STATES_OR_1]) {
    if (state < first_state) return;
    const bool begins = state == first_state;
    bool any = false;
    EACH_NODE { any |= crosses(p, begins, u[p], before[p]); }
    if (!__any_sync(ALL_LANES, any)) return;
    EACH_NODE {
      const bool crossed = crosses(p, begins, u[p], before[p]);
      const u32 lanes = __ballot_sync(ALL_LANES, crossed);
      const u32 place = count + __popc(lanes & ((1u << x.lane) - 1u));
      if (crossed && place < words(x)->parameter) {
        const u64 at = 2 * ((u64)x.fiber * words(x)->parameter + place);
        u32* ints = x.out_ints + words(x)->ints + x.header->fibers + at;
        ints[0] = x.lane * P + p;
        ints[1] = state;
        REAL* reals = x.out_reals + words(x)->reals + at;
        reals[0] = before[p];
        reals[1] = u[p];
      }
      count += __popc(lanes);
    }
  }

  DEVICE_MEMBER void finish(const Context& x) const {
    if (x.lane == 0) x.out_ints[words(x)->ints + x.fiber] = count;
  }
};

// Voltage and chosen states of the watched nodes, every so many steps.
template <u32... STATE> struct Recorder : Observer {
  u32 rows, wait;

  DEVICE_MEMBER void load(const Context& x, u32 number) {
    load_common(x, number);
    rows = 0;
    wait = (u32)words(x)->wait;
  }

  DEVICE_MEMBER void see(const Context& x, u32 state, const REAL (&u)[P], const REAL (&)[P],
                         const REAL (&states)[P][STATES_OR_1]) {
    if (state < first_state) return;
    if (wait > 0) {
      --wait;
      return;
    }
    wait = (u32)words(x)->parameter - 1;
    const u32* place = places(x);
    REAL* row = x.out_reals + words(x)->reals + ((u64)x.fiber * words(x)->rows + rows) * (1 + sizeof...(STATE)) * words(x)->width;
    EACH_NODE {
      if (BIT(watched, p)) {
        REAL* to = row + place[p * LANES];
        *to = u[p];
        ((to += words(x)->width, *to = states[p][STATE]), ...);
      }
    }
    ++rows;
  }

  DEVICE_MEMBER void finish(const Context& x) const {
    if (x.lane == 0) x.out_ints[words(x)->ints + x.fiber] = rows;
  }
};

// Largest value per node.
struct Maximum : Observer {
  REAL largest[P];

  DEVICE_MEMBER void load(const Context& x, u32 number) {
    load_common(x, number);
    EACH_NODE { largest[p] = -REAL_INF; }
  }

  DEVICE_MEMBER void see(const Context&, u32 state, const REAL (&u)[P], const REAL (&)[P],
                         const REAL (&)[P][STATES_OR_1]) {
    if (state < first_state) return;
    EACH_NODE { largest[p] = u[p] > largest[p] ? u[p] : largest[p]; }
  }

  DEVICE_MEMBER void finish(const Context& x) const {
    REAL* to = x.out_reals + words(x)->reals + (u64)x.fiber * SLOTS + x.lane;
    EACH_NODE { to[p * LANES] = largest[p]; }
  }
};
