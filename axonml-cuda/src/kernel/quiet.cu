// Fibers that will not fire any more: their sources are off and every node is back within a band around its start.

struct Quiet {
  // The next state to look at, or NONE. It counts up, so that no step pays for a division; where the count wraps, the
  // run has passed that state.
  u32 look;

  DEVICE_MEMBER void load(const Context& x) { look = x.ints[x.header->first_looks + x.fiber]; }

  // Looks at a state if its turn has come. Starts are read again: kept, they would occupy registers at every step.
  DEVICE_MEMBER bool ended(const Context& x, u32 state, const REAL (&u)[P]) {
    if (state != look) return false;
    look += (u32)x.header->look_every;
    const REAL band = (REAL)__longlong_as_double((long long)x.header->quiet_band);
    const bool given = x.header->start_is_given != 0;
    const u64 stride = given ? SLOTS : 1;
    const REAL* start = x.reals + x.header->starts + (u64)x.start * STATE_ROWS * stride + (given ? x.lane : 0);
    bool away = false;
    EACH_NODE {
      // NaN is not near.
      const bool near = F(fabs)(u[p] - start[given ? p * LANES : 0]) < band;
      away = away || (!near && x.lane * P + p < x.nodes);
    }
    return !__any_sync(ALL_LANES, away);
  }
};
