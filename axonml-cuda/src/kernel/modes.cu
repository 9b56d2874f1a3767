// Internodes of the double cable as independent modes. The internode right of a node belongs to the node's lane.
// Decay and coupling per mode are the same along a fibre and lie in shared memory, [decay | coupling].

#define MODES 20
#define HALF (MODES / 2)
#ifndef SHARED_TABLES
#define SHARED_TABLES(name) __shared__ __align__(16) REAL name[WARPS * 2 * MODES]
#endif

struct Modes {
  const REAL* decay;
  const REAL* coupling;
  REAL z[P][MODES];

  // Fills the warp's table of `2 * MODES` numbers.
  DEVICE_MEMBER void load(const Context& x, REAL* table) {
    const REAL* c = x.reals + x.header->modes + (u64)x.cable * (2 * MODES);
    for (u32 i = x.lane; i < 2 * MODES; i += LANES) table[i] = c[i];
    __syncwarp();
    decay = table;
    coupling = table + MODES;
  }

  DEVICE_MEMBER static bool present(const Context& x, u32 p) { return x.lane * P + p + 1 < x.nodes; }

  // Adds to `current` what the modes send to the nodes: their sum to the left one, the even ones minus the odd ones to
  // the right one.
  DEVICE_MEMBER static void send(const REAL (&even)[P], const REAL (&odd)[P], REAL (&current)[P], u32 lane) {
    REAL arriving = __shfl_up_sync(ALL_LANES, even[P - 1] - odd[P - 1], 1);
    arriving = lane == 0 ? ZERO : arriving;
    EACH_NODE {
      current[p] += arriving;
      current[p] += even[p] + odd[p];
      arriving = even[p] - odd[p];
    }
  }

  // Starts a run: zeta becomes a zeta, sent to the nodes.
  DEVICE_MEMBER void start(const Context& x, REAL (&current)[P]) {
    REAL even[P], odd[P];
    EACH_NODE {
      even[p] = ZERO;
      odd[p] = ZERO;
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) {
        z[p][m] = decay[m] * z[p][m];
        (m < HALF ? even[p] : odd[p]) += z[p][m];
      }
    }
    send(even, odd, current, x.lane);
  }

  // One step: zeta = coupling (u_left +- u_right) + z. Unless it is the last one, decays zeta and sends it to the nodes.
  DEVICE_MEMBER void advance(const Context& x, const REAL (&u)[P], bool go_on, REAL (&current)[P]) {
    REAL even[P], odd[P];
    const REAL behind = __shfl_down_sync(ALL_LANES, u[0], 1);
    EACH_NODE {
      const REAL right = p + 1 < P ? u[p + 1 < P ? p + 1 : 0] : behind;
      const bool there = present(x, p);
      const REAL sum = there ? u[p] + right : ZERO;
      const REAL difference = there ? u[p] - right : ZERO;
      even[p] = ZERO;
      odd[p] = ZERO;
      if (go_on) {
#pragma unroll
        for (u32 m = 0; m < MODES; ++m) {
          z[p][m] = decay[m] * F(fma)(coupling[m], m < HALF ? sum : difference, z[p][m]);
          (m < HALF ? even[p] : odd[p]) += z[p][m];
        }
      } else {
#pragma unroll
        for (u32 m = 0; m < MODES; ++m) z[p][m] = F(fma)(coupling[m], m < HALF ? sum : difference, z[p][m]);
      }
    }
    if (go_on) send(even, odd, current, x.lane);
  }
};
