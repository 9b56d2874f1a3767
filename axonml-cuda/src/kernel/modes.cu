// Internodes as independent modes: 20 of the double cable, 2 of the reduced one.
//
// A mode is stored as y = zeta/kappa, mV, so that a step is one multiply-add, y = a y + (u_left +- u_right), and so is
// its current into its nodes in the next one, a kappa y. Both numbers are the same along a fiber and lie in shared
// memory, [a | a kappa].

#if !MODES
struct Modes {};
#else
struct Modes {
  const REAL* decay;
  const REAL* sent;
  REAL y[P][MODES];

  // Fills the warp's table of `2 * MODES` numbers.
  DEVICE_MEMBER void load(const Context& x, REAL* table) {
    const REAL* c = x.reals + x.header->modes + (u64)x.cable * (3 * MODES);
    for (u32 i = x.lane; i < 2 * MODES; i += LANES) table[i] = c[i];
    __syncwarp();
    decay = table;
    sent = table + MODES;
  }

  // Adds to `current` the currents of the modes into the nodes during the next step.
  DEVICE_MEMBER void send(const Context& x, REAL (&current)[P]) const { give_to_nodes(x, sent, y, current); }

  // One step, from the new voltages of the nodes; the stimulus is added separately.
  DEVICE_MEMBER void advance(const Context& x, const REAL (&u)[P]) {
    const REAL behind = first_of_next_lane(u);
    EACH_NODE {
      const Ends ends = take_from_nodes(x, u, behind, p);
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) y[p][m] = F(fma)(decay[m], y[p][m], ends.of_mode(m));
    }
  }
};
#endif
