// Internodes as independent modes: 20 of the double cable, 2 of the reduced one. The internode right of a node belongs to the node's lane.
//
// A mode is kept as y = zeta/kappa, mV, so that a step is one multiply-add, y = a y + (u_left +- u_right), and so is what
// it will send to its nodes in the next one, a kappa y. Both numbers are the same along a fibre and lie in shared memory,
// [a | a kappa].

#define HALF (MODES / 2)

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

  // Adds to `current` what the modes send to the nodes during the next step: their sum to the left one, the even ones
  // minus the odd ones to the right one.
  DEVICE_MEMBER void send(const Context& x, REAL (&current)[P]) const {
    REAL even[P], odd[P];
    EACH_NODE {
      even[p] = ZERO;
      odd[p] = ZERO;
#pragma unroll
      for (u32 m = 0; m < HALF; ++m) {
        even[p] = F(fma)(sent[m], y[p][m], even[p]);
        odd[p] = F(fma)(sent[HALF + m], y[p][HALF + m], odd[p]);
      }
    }
    REAL arriving = __shfl_up_sync(ALL_LANES, even[P - 1] - odd[P - 1], 1);
    arriving = x.lane == 0 ? ZERO : arriving;
    EACH_NODE {
      current[p] += arriving;
      current[p] += even[p] + odd[p];
      arriving = even[p] - odd[p];
    }
  }

  // One step, from the new voltages of the nodes; what the stimulus does comes on top.
  DEVICE_MEMBER void advance(const Context& x, const REAL (&u)[P]) {
    const REAL behind = __shfl_down_sync(ALL_LANES, u[0], 1);
    EACH_NODE {
      const REAL right = p + 1 < P ? u[p + 1 < P ? p + 1 : 0] : behind;
      const bool there = x.lane * P + p + 1 < x.nodes;
      const REAL sum = there ? u[p] + right : ZERO;
      const REAL difference = there ? u[p] - right : ZERO;
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) y[p][m] = F(fma)(decay[m], y[p][m], m < HALF ? sum : difference);
    }
  }
};
#endif
