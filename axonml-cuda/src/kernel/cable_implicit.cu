// The node rows of implicit and double cables: (diagonal + area G) u_k + off_(k-1) u_(k-1) + off_k u_(k+1) = right
// side, solved by partition. Every lane eliminates within its nodes, except for the unknown left of them; the remaining
// system couples the last nodes of the lanes and is solved by parallel cyclic reduction.

// Couplings below this contribute less than rounding to anything: the reduction is finished.
#if REAL_IS_FLOAT
#define NEGLIGIBLE 1e-12f
#else
#define NEGLIGIBLE 1e-24
#endif

struct Cable {
  REAL capacitance[P], diagonal[P], area[P], off[P];
  // Coupling to the last node of the lane before.
  REAL off_before;

  DEVICE_MEMBER void load(const Context& x) {
    const REAL* rows = x.reals + x.header->rows + (u64)x.cable * (4 * SLOTS);
    EACH_NODE {
      const u32 at = p * LANES + x.lane;
      capacitance[p] = rows[at];
      diagonal[p] = rows[SLOTS + at];
      area[p] = rows[2 * SLOTS + at];
      off[p] = rows[3 * SLOTS + at];
    }
    off_before = x.lane > 0 ? rows[3 * SLOTS + (P - 1) * LANES + x.lane - 1] : ZERO;
  }

  // Replaces u by its values one step later.
  DEVICE_MEMBER void solve(REAL (&u)[P], const REAL (&g)[P], const REAL (&j)[P], const REAL (&current)[P]) const {
    // x_i = d_i - l_i x_left - c_i x_(i+1)
    REAL d[P], l[P], c[P];
    EACH_NODE {
      const REAL diag = F(fma)(area[p], g[p], diagonal[p]);
      const REAL right = F(fma)(capacitance[p], u[p], F(fma)(area[p], j[p], current[p]));
      if (p == 0) {
        const REAL inverse = ONE / diag;
        d[0] = right * inverse;
        l[0] = off_before * inverse;
        c[0] = off[0] * inverse;
      } else {
        const REAL before = -off[p - 1];
        const REAL inverse = ONE / F(fma)(before, c[p - 1], diag);
        d[p] = F(fma)(before, d[p - 1], right) * inverse;
        l[p] = before * l[p - 1] * inverse;
        c[p] = off[p] * inverse;
      }
    }
    // The lane's first unknown by the one left of it and the lane's last: x_0 = D - L x_left - C x_last.
#if P == 1
    const REAL next_D = ZERO, next_L = ZERO;
    REAL gamma = c[0];
    REAL alpha = l[0], delta = d[0];
#else
    REAL D = d[P - 2], L = l[P - 2], C = c[P - 2];
#if P > 2 && P <= 8
#pragma unroll
#elif P > 8
#pragma unroll 1
#endif
    for (u32 k = 2; k < P; ++k) {
      const u32 p = P - 1 - k;
      D = F(fma)(-c[p], D, d[p]);
      L = F(fma)(-c[p], L, l[p]);
      C = -c[p] * C;
    }
    const REAL next_D = __shfl_down_sync(ALL_LANES, D, 1);
    const REAL next_L = __shfl_down_sync(ALL_LANES, L, 1);
    const REAL next_C = __shfl_down_sync(ALL_LANES, C, 1);
    const REAL inverse = ONE / F(fma)(-c[P - 1], next_L, ONE);
    REAL alpha = l[P - 1] * inverse;
    REAL gamma = -c[P - 1] * next_C * inverse;
    REAL delta = F(fma)(-c[P - 1], next_D, d[P - 1]) * inverse;
#endif
    // x_t + alpha x_(t-s) + gamma x_(t+s) = delta. A lane without a neighbor at the distance has a zero there, so that
    // the value of its shuffle has no effect.
#pragma unroll
    for (u32 s = 1; s < LANES; s *= 2) {
      if (s > 2 && !__any_sync(ALL_LANES, F(fabs)(alpha) + F(fabs)(gamma) > NEGLIGIBLE)) break;
      const REAL alpha_l = __shfl_up_sync(ALL_LANES, alpha, s), alpha_r = __shfl_down_sync(ALL_LANES, alpha, s);
      const REAL gamma_l = __shfl_up_sync(ALL_LANES, gamma, s), gamma_r = __shfl_down_sync(ALL_LANES, gamma, s);
      const REAL delta_l = __shfl_up_sync(ALL_LANES, delta, s), delta_r = __shfl_down_sync(ALL_LANES, delta, s);
      const REAL scale = ONE / F(fma)(-gamma, alpha_r, F(fma)(-alpha, gamma_l, ONE));
      delta = F(fma)(-gamma, delta_r, F(fma)(-alpha, delta_l, delta)) * scale;
      alpha = -alpha * alpha_l * scale;
      gamma = -gamma * gamma_r * scale;
    }
    const REAL left = __shfl_up_sync(ALL_LANES, delta, 1);
    const REAL x_left = (threadIdx.x & (LANES - 1)) == 0 ? ZERO : left;
    u[P - 1] = delta;
#if P <= 8
#pragma unroll
#else
#pragma unroll 1
#endif
    for (u32 k = 1; k < P; ++k) {
      const u32 p = P - 1 - k;
      u[p] = F(fma)(-c[p], u[p + 1], F(fma)(-l[p], x_left, d[p]));
    }
  }
};
