// Explicit cables: forward Euler with a three-point stencil whose ends reflect.

struct Cable {
  REAL dt_over_c, neighbor, center, area;
  // Stability number of a step without a membrane.
  REAL coupling;
  // How far steps in a row have amplified differences between neighbors, per node.
  REAL amplification[P];

  DEVICE_MEMBER void load(const Context& x) {
    const REAL* c = x.reals + x.header->rows + (u64)x.cable * 5;
    dt_over_c = c[0];
    neighbor = c[1];
    center = c[2];
    area = c[3];
    coupling = c[4];
    EACH_NODE { amplification[p] = ONE; }
  }

  // The lane's lowest node at which one more step would have amplified too much, or P.
  DEVICE_MEMBER u32 first_unstable(const Context& x, const REAL (&g)[P]) {
    u32 first = P;
    REAL before = __shfl_up_sync(ALL_LANES, g[P - 1], 1);
    const REAL behind = first_of_next_lane(g);
    EACH_NODE {
      const u32 node = x.lane * P + p;
      REAL left = before, right = p + 1 < P ? g[p + 1 < P ? p + 1 : 0] : behind;
      left = node == 0 ? right : left;
      right = node + 1 == x.nodes ? left : right;
      const REAL mean = QUARTER * ((left + right) + (g[p] + g[p]));
      const REAL number = F(fma)(dt_over_c, area * mean, coupling);
      amplification[p] = number > STABLE ? amplification[p] * (number - ONE) : ONE;
      const bool unsound =
          F(fma)(dt_over_c, area * g[p], coupling) > LARGEST_STABILITY || amplification[p] > LARGEST_AMPLIFICATION;
      if (first == P && unsound && node < x.nodes) first = p;
      before = g[p];
    }
    return first;
  }

  DEVICE_MEMBER void solve(const Context& x, REAL (&u)[P], const REAL (&g)[P], const REAL (&j)[P],
                           const REAL (&current)[P]) const {
    REAL before = __shfl_up_sync(ALL_LANES, u[P - 1], 1);
    const REAL behind = first_of_next_lane(u);
    EACH_NODE {
      const u32 node = x.lane * P + p;
      REAL left = before, right = p + 1 < P ? u[p + 1 < P ? p + 1 : 0] : behind;
      left = node == 0 ? right : left;
      right = node + 1 == x.nodes ? left : right;
      const REAL axial = F(fma)(neighbor, left + right, center * u[p]);
      const REAL ionic = F(fma)(g[p], u[p], -j[p]);
      const REAL total = F(fma)(-area, ionic, axial + current[p]);
      before = u[p];
      u[p] = node < x.nodes ? F(fma)(dt_over_c, total, u[p]) : u[p];
    }
  }
};
