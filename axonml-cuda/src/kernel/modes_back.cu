// Cotangents of the modes, of zeta as it is handed over, not of y.

#if !MODES
struct ModesBack {};
#else
struct ModesBack {
  const REAL* decay;
  const REAL* coupling;
  REAL z[P][MODES];

  // Fills the warp's table of `2 * MODES` numbers.
  DEVICE_MEMBER void load(const Context& x, REAL* table) {
    const REAL* c = x.reals + x.header->modes + (u64)x.cable * (3 * MODES);
    for (u32 i = x.lane; i < 2 * MODES; i += LANES) table[i] = c[i < MODES ? i : MODES + i];
    __syncwarp();
    decay = table;
    coupling = table + MODES;
  }

  // Adds the VJP of the modes to the cotangents of the new voltages.
  DEVICE_MEMBER void to_voltages(const Context& x, REAL (&u)[P]) const { give_to_nodes(x, coupling, z, u); }

#if OF_CABLES
  // Accumulates the cotangents of decays and couplings in a step, before `back`: `after` are the voltages after it,
  // `before` the modes before it, as y. The sums are cotangents of a over kappa, and of kappa.
  DEVICE_MEMBER void add_to(const Context& x, Sums& sums, const REAL (&y)[P], const REAL (&after)[P], const REAL* before) const {
    const REAL y_behind = first_of_next_lane(y), after_behind = first_of_next_lane(after);
    EACH_NODE {
      const Ends ends = take_from_nodes(x, y, y_behind, p), drives = take_from_nodes(x, after, after_behind, p);
      if (x.lane * P + p + 1 < x.nodes) {
#pragma unroll
        for (u32 m = 0; m < MODES; ++m) {
          sums.add_product(CABLE_SUMS_AT + m, z[p][m] + ends.of_mode(m), before[m * SLOTS + p * LANES]);
          sums.add_product(CABLE_SUMS_AT + MODES + m, z[p][m], drives.of_mode(m));
        }
      }
    }
  }
#endif

  // From after to before a step: z = a (z + y_left +- y_right).
  DEVICE_MEMBER void back(const Context& x, const REAL (&y)[P]) {
    const REAL behind = first_of_next_lane(y);
    EACH_NODE {
      const Ends ends = take_from_nodes(x, y, behind, p);
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) z[p][m] = decay[m] * (z[p][m] + ends.of_mode(m));
    }
  }
};
#endif
