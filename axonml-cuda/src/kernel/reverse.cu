// The adjoint pass: one warp applies the adjoints of its fiber's steps in reverse order, from the stored trajectory of
// a segment and the cotangents of the state after it.

#define SHARED_NUMBERS (2 * MODES + SHARED_SUMS * SUMS_OR_1 * LANES)
// Cotangents of a state, then of its conductance and source.
#define BACK_ROWS (STATE_ROWS + 2)
#define FIBER_SUMS (FIBER_TOTALS + (LANE_SUMS - FIBER_TOTALS) * LANES)

// Ends a fiber whose cotangents of state `state` are not all finite; the lowest node is named.
DEVICE bool end_if_not_finite(const Context& x, u32 state, const REAL (&u)[P], const REAL (&states)[P][STATES_OR_1],
                              const ModesBack& modes) {
  u32 first = P;
  EACH_NODE {
    // 0 x is 0 for finite numbers and NaN otherwise.
    REAL wrong = ZERO * u[p];
#pragma unroll
    for (u32 s = 0; s < STATES; ++s) wrong = F(fma)(ZERO, states[p][s], wrong);
#if MODES
#pragma unroll
    for (u32 m = 0; m < MODES; ++m) wrong = F(fma)(ZERO, modes.z[p][m], wrong);
#endif
    if (first == P && !(wrong == ZERO)) first = p;
  }
  return end_at(x, first, NOT_FINITE, state) < LANES;
}

FIBER_KERNEL {
  Context x ARGUMENTS;
  if (!x.load()) return;
  if (x.result()[RESULT_STATUS] != COMPLETED) return;

  Parameters parameters;
  parameters.load(reals + header->reverse_parameters + (u64)x.parameters * PARAMETERS);
  Cable cable;
  cable.load(x);
  DriveBack drive;
  drive.load(x);
  Seeds seeds;
  ModesBack modes;
  Sums own;
#if MODES || SHARED_SUMS
  SHARED_TABLE(tables, SHARED_NUMBERS);
  REAL* table = tables + threadIdx.x / LANES * (SHARED_NUMBERS);
#endif
#if SHARED_SUMS
  own.own = table + 2 * MODES + x.lane;
#endif
  own.clear();

  // Cotangents of the state after the segment, and of its conductance and source: for the last state the seed
  // cotangents, which overwrite that state.
  const u32 begin = (u32)header->begin_step, end = (u32)header->end_step;
  const bool last = header->end_step == header->run_end, first = header->begin_step == header->first_step;
  REAL u[P], g[P], j[P], states[P][STATES_OR_1];
  REAL* const carried = back + (u64)x.fiber * BACK_ROWS * SLOTS + x.lane;
  {
    const REAL* from = last ? out_reals + header->states + (u64)x.fiber * STATE_ROWS * SLOTS + x.lane : carried;
    EACH_NODE {
      u[p] = from[p * LANES];
      g[p] = last ? ZERO : carried[STATE_ROWS * SLOTS + p * LANES];
      j[p] = last ? ZERO : carried[(STATE_ROWS + 1) * SLOTS + p * LANES];
#pragma unroll
      for (u32 s = 0; s < STATES; ++s) states[p][s] = from[(1 + s) * SLOTS + p * LANES];
#if MODES
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) modes.z[p][m] = from[(1 + STATES + m) * SLOTS + p * LANES];
#endif
    }
  }
  if (last) {
    seeds.add(x, end, u, states);
    if (end_if_not_finite(x, end, u, states, modes)) return;
  }

  // Voltages and states after and before the step; loaded well before they are needed.
  REAL after[P], before[P], made[P][STATES_OR_1], old[P][STATES_OR_1];
  {
    const REAL* row = kept_state(x, end - begin);
    EACH_NODE {
      after[p] = row[p * LANES];
#pragma unroll
      for (u32 s = 0; s < STATES; ++s) made[p][s] = row[(1 + s) * SLOTS + p * LANES];
    }
    row -= begin < end ? KEPT_ROWS * SLOTS : 0;
    EACH_NODE {
      before[p] = row[p * LANES];
#pragma unroll
      for (u32 s = 0; s < STATES; ++s) old[p][s] = row[(1 + s) * SLOTS + p * LANES];
    }
  }
#if MODES
  modes.load(x, table);
#endif
  for (u32 step = end; step > begin;) {
    --step;
    const REAL* row = kept_state(x, step - begin);
    const REAL* next = step > begin ? row - KEPT_ROWS * SLOTS : row;
    // Cotangents of the currents into the nodes.
    REAL y[P];
#if EXPLICIT_CABLE
    REAL ionic[P];
#if OF_CABLES
    REAL of_new[P];
    EACH_NODE { of_new[p] = u[p]; }
#endif
    explicit_back(x, cable, u, y, ionic);
#if OF_CABLES
    explicit_sums(x, own, of_new, y, after, before, row + (KEPT_ROWS + KEPT_G) * SLOTS, row + (KEPT_ROWS + KEPT_J) * SLOTS);
#endif
    drive.collect(x, step, y, modes);
    EACH_NODE {
      if (x.lane * P + p < x.nodes)
        step_adjoint(parameters, before[p], old[p], made[p], states[p], ionic[p], ZERO, u[p], own);
#pragma unroll
      for (u32 s = 0; s < STATES; ++s) {
        made[p][s] = old[p][s];
        old[p][s] = next[(1 + s) * SLOTS + p * LANES];
      }
    }
#else
    REAL of_step[P];
    EACH_NODE { of_step[p] = row[KEPT_G * SLOTS + p * LANES]; }
    EACH_NODE {
      if (x.lane * P + p < x.nodes)
        step_adjoint(parameters, after[p], old[p], made[p], states[p], g[p], j[p], u[p], own);
#pragma unroll
      for (u32 s = 0; s < STATES; ++s) {
        made[p][s] = old[p][s];
        old[p][s] = next[(1 + s) * SLOTS + p * LANES];
      }
    }
#if MODES
    modes.to_voltages(x, u);
#endif
    // The rows' right-hand side is the cotangent alone.
    EACH_NODE {
      y[p] = ZERO;
      j[p] = ZERO;
    }
    cable.solve(y, of_step, j, u);
    drive.collect(x, step, y, modes);
#if OF_CABLES
    row_sums(own, y, after, before, of_step, row + KEPT_J * SLOTS);
#if MODES
    modes.add_to(x, own, y, after, row + KEPT_MODES * SLOTS);
#endif
#endif
#if MODES
    modes.back(x, y);
#endif
    EACH_NODE {
      u[p] = cable.capacitance[p] * y[p];
      j[p] = cable.area[p] * y[p];
      g[p] = -j[p] * after[p];
    }
#endif
    EACH_NODE {
      after[p] = before[p];
      before[p] = next[p * LANES];
    }
    if (step % FLUSH_STEPS == 0) own.flush(x);
    seeds.add(x, step, u, states);
    if (end_if_not_finite(x, step, u, states, modes)) return;
  }
  own.flush(x);
#if !EXPLICIT_CABLE
  // G and J of the state that the run starts from.
  if (first && begin < end) {
    EACH_NODE {
      if (x.lane * P + p < x.nodes)
        currents_adjoint(parameters, after[p], made[p], made[p], states[p], g[p], j[p], u[p], own);
    }
    own.move(x, 0, CURRENTS_COEFFICIENTS, COEFFICIENTS);
    if (end_if_not_finite(x, begin, u, states, modes)) return;
  }
#endif
  EACH_NODE {
    carried[p * LANES] = u[p];
    carried[STATE_ROWS * SLOTS + p * LANES] = g[p];
    carried[(STATE_ROWS + 1) * SLOTS + p * LANES] = j[p];
#pragma unroll
    for (u32 s = 0; s < STATES; ++s) carried[(1 + s) * SLOTS + p * LANES] = states[p][s];
#if MODES
#pragma unroll
    for (u32 m = 0; m < MODES; ++m) carried[(1 + STATES + m) * SLOTS + p * LANES] = modes.z[p][m];
#endif
  }
  if (!first) return;
  // Reduces the lanes' sums: coefficients and modes over all lanes, values per node as they are.
  const double* totals = lane_sums + (u64)x.fiber * LANE_SUMS * LANES + x.lane;
  double* to = sums + (u64)x.fiber * FIBER_SUMS;
  for (u32 i = 0; i < FIBER_TOTALS; ++i) {
    const double total = over_lanes(totals[i * LANES]);
    if (x.lane == 0) to[i] = total;
  }
  for (u32 i = FIBER_TOTALS; i < LANE_SUMS; ++i) to[FIBER_TOTALS + (i - FIBER_TOTALS) * LANES + x.lane] = totals[i * LANES];
}
