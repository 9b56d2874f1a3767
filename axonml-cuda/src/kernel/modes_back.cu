// Cotangents of the modes, of zeta as it is handed over, not of y. The internode right of a node belongs to the node's lane.

#if !MODES
struct ModesBack {};
#else
#define HALF (MODES / 2)

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

  // Adds what the modes' cotangents pass on to those of the new voltages.
  DEVICE_MEMBER void to_voltages(const Context& x, REAL (&u)[P]) const {
    REAL even[P], odd[P];
    EACH_NODE {
      even[p] = ZERO;
      odd[p] = ZERO;
#pragma unroll
      for (u32 m = 0; m < HALF; ++m) {
        even[p] = F(fma)(coupling[m], z[p][m], even[p]);
        odd[p] = F(fma)(coupling[HALF + m], z[p][HALF + m], odd[p]);
      }
    }
    REAL arriving = __shfl_up_sync(ALL_LANES, even[P - 1] - odd[P - 1], 1);
    arriving = x.lane == 0 ? ZERO : arriving;
    EACH_NODE {
      u[p] += arriving;
      u[p] += even[p] + odd[p];
      arriving = even[p] - odd[p];
    }
  }

#if OF_CABLES
  // What decays and couplings collect in a step, before `back`: `after` are the voltages after it, `before` the modes before
  // it, as y. The sums are cotangents of a over kappa, and of kappa.
  DEVICE_MEMBER void add_to(const Context& x, Sums& sums, const REAL (&y)[P], const REAL (&after)[P], const REAL* before) const {
    const REAL y_behind = __shfl_down_sync(ALL_LANES, y[0], 1);
    const REAL after_behind = __shfl_down_sync(ALL_LANES, after[0], 1);
    EACH_NODE {
      const REAL y_right = p + 1 < P ? y[p + 1 < P ? p + 1 : 0] : y_behind;
      const REAL after_right = p + 1 < P ? after[p + 1 < P ? p + 1 : 0] : after_behind;
      if (x.lane * P + p + 1 < x.nodes) {
#pragma unroll
        for (u32 m = 0; m < MODES; ++m) {
          const REAL ends = m < HALF ? y[p] + y_right : y[p] - y_right;
          const REAL drive = m < HALF ? after[p] + after_right : after[p] - after_right;
          sums.add_product(CABLE_SUMS_AT + m, z[p][m] + ends, before[m * SLOTS + p * LANES]);
          sums.add_product(CABLE_SUMS_AT + MODES + m, z[p][m], drive);
        }
      }
    }
  }
#endif

  // From after to before a step: z = a (z + y_left +- y_right).
  DEVICE_MEMBER void back(const Context& x, const REAL (&y)[P]) {
    const REAL behind = __shfl_down_sync(ALL_LANES, y[0], 1);
    EACH_NODE {
      const REAL right = p + 1 < P ? y[p + 1 < P ? p + 1 : 0] : behind;
      const bool there = x.lane * P + p + 1 < x.nodes;
      const REAL sum = there ? y[p] + right : ZERO;
      const REAL difference = there ? y[p] - right : ZERO;
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) z[p][m] = decay[m] * (z[p][m] + (m < HALF ? sum : difference));
    }
  }
};
#endif
