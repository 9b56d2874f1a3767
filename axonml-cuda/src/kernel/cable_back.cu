// Adjoint of the cable step, and accumulators of cable coefficients. Cotangents after a fiber's last node are zero.

#if EXPLICIT_CABLE

// From the cotangents `u` of the new voltages: those of the currents into the nodes, of the ionic current densities, and, in
// `u`, those of the old voltages as far as the cable goes.
DEVICE void explicit_back(const Context& x, const Cable& cable, REAL (&u)[P], REAL (&current)[P], REAL (&ionic)[P]) {
  // An end reads its only neighbor twice.
  REAL read[P];
  EACH_NODE {
    const u32 node = x.lane * P + p;
    current[p] = node < x.nodes ? cable.dt_over_c * u[p] : ZERO;
    ionic[p] = -cable.area * current[p];
    read[p] = node == 0 || node + 1 == x.nodes ? current[p] + current[p] : current[p];
  }
  REAL left = __shfl_up_sync(ALL_LANES, read[P - 1], 1);
  const REAL behind = first_of_next_lane(read);
  left = x.lane == 0 ? ZERO : left;
  EACH_NODE {
    REAL right = p + 1 < P ? read[p + 1 < P ? p + 1 : 0] : behind;
    right = x.lane * P + p + 1 < x.nodes ? right : ZERO;
    const REAL own = F(fma)(cable.center, current[p], u[p]);
    u[p] = x.lane * P + p < x.nodes ? F(fma)(cable.neighbor, left + right, own) : ZERO;
    left = read[p];
  }
}

#if OF_CABLES
// `u` are the cotangents of the new voltages; `g` and `j` point to conductance and source of the step.
DEVICE void explicit_sums(const Context& x, Sums& sums, const REAL (&u)[P], const REAL (&current)[P], const REAL (&after)[P],
                          const REAL (&before)[P], const REAL* g, const REAL* j) {
  REAL left = __shfl_up_sync(ALL_LANES, before[P - 1], 1);
  const REAL behind = first_of_next_lane(before);
  EACH_NODE {
    const u32 node = x.lane * P + p;
    REAL right = p + 1 < P ? before[p + 1 < P ? p + 1 : 0] : behind;
    left = node == 0 ? right : left;
    right = node + 1 == x.nodes ? left : right;
    if (node < x.nodes) {
      const REAL ionic = F(fma)(g[p * LANES], before[p], -j[p * LANES]);
      sums.add_product(CABLE_SUMS_AT, u[p], after[p] - before[p]);
      sums.add_product(CABLE_SUMS_AT + 1, current[p], (left - before[p]) + (right - before[p]));
      sums.add_product(CABLE_SUMS_AT + 2, current[p], before[p]);
      sums.add_product(CABLE_SUMS_AT + 3, -current[p], ionic);
    }
    left = before[p];
  }
}
#endif

#elif OF_CABLES

// Per node: cotangents of the capacitance, of a conductance to ground, of one to the next node, of the area. For the
// third, differences of neighbors, which may be far smaller than their common part, are taken before they are
// multiplied.
DEVICE void row_sums(Sums& sums, const REAL (&y)[P], const REAL (&after)[P], const REAL (&before)[P], const REAL (&g)[P],
                     const REAL* j) {
  const REAL y_behind = first_of_next_lane(y);
  const REAL after_behind = first_of_next_lane(after);
  const u32 first = CABLE_SUMS_AT + 2 * MODES;
  EACH_NODE {
    const REAL y_right = p + 1 < P ? y[p + 1 < P ? p + 1 : 0] : y_behind;
    const REAL after_right = p + 1 < P ? after[p + 1 < P ? p + 1 : 0] : after_behind;
    const REAL ionic = F(fma)(g[p], after[p], -j[p * LANES]);
    sums.add_product(first + p, y[p], before[p] - after[p]);
    sums.add_product(first + P + p, -y[p], after[p]);
    sums.add_product(first + 2 * P + p, y[p] - y_right, after_right - after[p]);
    sums.add_product(first + 3 * P + p, -y[p], ionic);
  }
}

#endif
