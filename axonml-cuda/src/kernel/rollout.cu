// The kernel: one warp runs one fiber through all its steps. Warps are independent; within a warp every branch around
// a shuffle or vote is decided by all lanes alike.

// Ends a fiber as `end_at` does, and writes the first non-finite node's voltage and conductance; true if there is one.
DEVICE bool end_if_bad(const Context& x, u32 first, u32 status, u32 state, const REAL (&u)[P], const REAL (&g)[P]) {
  const u32 lane = end_at(x, first, status, state);
  if (lane == LANES) return false;
  if (x.lane == lane) {
    REAL* reals = x.out_reals + x.header->result_values + (u64)x.fiber * 2;
    EACH_NODE {
      if (p == first) {
        reals[0] = u[p];
        reals[1] = g[p];
      }
    }
  }
  return true;
}

// The lane's lowest node with a number that is not finite or a voltage that no membrane has, or P.
DEVICE u32 first_unsound(const Context& x, const REAL (&u)[P], const REAL (&g)[P], const REAL (&j)[P],
                         const REAL (&states)[P][STATES_OR_1]) {
  bool suspect = false;
  EACH_NODE {
    // The sum is finite if all are and the voltage is ordinary: it is the rule, and one comparison.
    REAL sum = F(fma)(F(fabs)(u[p]), SUSPECT_SCALE, F(fabs)(g[p])) + F(fabs)(j[p]);
#pragma unroll
    for (u32 s = 0; s < STATES; ++s) sum += F(fabs)(states[p][s]);
    suspect = suspect || !is_finite(sum);
  }
  // The rest is rare, and separate so that it costs the others no registers.
  u32 first = P;
  if (!suspect) return first;
  // Bounds are exact in either precision.
  const REAL least = (REAL)__longlong_as_double((long long)x.header->least_u);
  const REAL greatest = (REAL)__longlong_as_double((long long)x.header->greatest_u);
  EACH_NODE {
    bool bad = !(u[p] >= least && u[p] <= greatest) || !is_finite(g[p]) || !is_finite(j[p]);
#pragma unroll
    for (u32 s = 0; s < STATES; ++s) bad = bad || !is_finite(states[p][s]);
    if (first == P && bad && x.lane * P + p < x.nodes) first = p;
  }
  return first;
}

// Beyond the fiber's end no membrane may disturb the solution.
DEVICE void silence_behind_end(const Context& x, REAL (&g)[P], REAL (&j)[P]) {
  EACH_NODE {
    const bool there = x.lane * P + p < x.nodes;
    g[p] = there ? g[p] : ZERO;
    j[p] = there ? j[p] : ZERO;
  }
}

FIBER_KERNEL {
  Context x ARGUMENTS;
  if (!x.load()) return;
#if GRADIENT
  // A replayed part of a run, from a checkpoint: observers are off.
  const bool again = header->checkpoint != NONE;
  if (again && x.result()[RESULT_STATUS] != COMPLETED) return;
#else
  const bool again = false;
#endif

  REAL u[P], before[P], g[P], j[P], current[P];
  REAL states[P][STATES_OR_1];
  Parameters parameters;
  parameters.load(reals + header->parameters + (u64)x.parameters * PARAMETERS);
  Cable cable;
  cable.load(x);
  Drive drive;
  drive.load(x);
  Observers observers;
  observers.load(x);
#if QUIET_END
  Quiet quiet;
  quiet.load(x);
#endif
  Modes modes;

  // The start: the same numbers at every node, or given ones; rows are u, the states, the modes.
  {
    const bool given = header->start_is_given != 0;
    const u64 stride = given ? SLOTS : 1;
#if MODES
    const REAL* couplings = reals + header->modes + (u64)x.cable * (3 * MODES) + 2 * MODES;
#endif
    const REAL* start = reals + header->starts + (u64)x.start * STATE_ROWS * stride + (given ? x.lane : 0);
    EACH_NODE {
      const u32 at = given ? p * LANES : 0;
      u[p] = start[at];
      before[p] = u[p];
      g[p] = ZERO;
      j[p] = ZERO;
      current[p] = ZERO;
#pragma unroll
      for (u32 s = 0; s < STATES; ++s) states[p][s] = start[(1 + s) * stride + at];
#if MODES
#pragma unroll
      for (u32 m = 0; m < MODES; ++m)
        modes.y[p][m] = divide(start[(1 + STATES + m) * stride + at], couplings[m]);
#endif
    }
  }
  u32 end = (u32)header->end_step;
  u32 step = (u32)header->begin_step;
#if GRADIENT
  if (again) load_checkpoint(x, u, states, g, j, modes);
#endif
  u32 status = COMPLETED;
  if (!again && end_if_bad(x, first_unsound(x, u, g, j, states), DIVERGED, step, u, g)) {
    status = DIVERGED;
    end = step;
  }
#if MODES
  SHARED_TABLE(tables, 2 * MODES);
  modes.load(x, tables + threadIdx.x / LANES * (2 * MODES));
#endif
  if (step == 0 && !again && status == COMPLETED) observers.see(x, 0, u, before, states);

  if (step < end) {
#if !EXPLICIT_CABLE
    if (!again) {
      EACH_NODE { membrane_currents(parameters, u[p], states[p], g[p], j[p]); }
      silence_behind_end(x, g, j);
    }
#endif
    drive.strength = drive.look_up(step);
#if MODES
    modes.send(x, current);
#endif
  }
  while (step < end) {
#if GRADIENT
    keep(x, step, u, states, g, j, modes);
#endif
    const bool go_on = step + 1 < end;
    // Loaded now, needed when the step is done.
    drive.next = go_on ? drive.look_up(step + 1) : ZERO;
    drive.add_to_nodes(x, step, current);
    EACH_NODE { before[p] = u[p]; }
#if EXPLICIT_CABLE
    EACH_NODE { membrane_step(parameters, u[p], states[p], g[p], j[p]); }
    if (end_if_bad(x, cable.first_unstable(x, g), UNSTABLE, step + 1, u, g)) {
      status = UNSTABLE;
      break;
    }
    cable.solve(x, u, g, j, current);
    EACH_NODE { current[p] = ZERO; }
#else
    cable.solve(u, g, j, current);
    EACH_NODE { current[p] = ZERO; }
#if MODES
    modes.advance(x, u);
    drive.add_to_modes(x, step, modes);
    if (go_on) modes.send(x, current);
#endif
    EACH_NODE { membrane_step(parameters, u[p], states[p], g[p], j[p]); }
    silence_behind_end(x, g, j);
#endif
    ++step;
    if (end_if_bad(x, first_unsound(x, u, g, j, states), DIVERGED, step, u, g)) {
      status = DIVERGED;
      break;
    }
    if (!again) observers.see(x, step, u, before, states);
    if (observers.answered()) {
      status = ANSWERED;
      break;
    }
#if QUIET_END
    if (quiet.ended(x, step, u)) {
      status = QUIET;
      break;
    }
#endif
    drive.strength = drive.next;
  }

#if GRADIENT
  if (status == COMPLETED) keep(x, step, u, states, g, j, modes);
  if (again) return;
#endif
  observers.finish(x);
  if (status == DIVERGED || status == UNSTABLE) return;
  if (x.lane == 0) {
    u32* result = x.result();
    result[RESULT_STATUS] = status;
    result[RESULT_STATE] = step;
  }
#if FINAL_STATES
  if (status != COMPLETED) return;
#if MODES
  const REAL* couplings = reals + header->modes + (u64)x.cable * (3 * MODES) + 2 * MODES;
#endif
  REAL* to = out_reals + header->states + (u64)x.fiber * STATE_ROWS * SLOTS + x.lane;
  EACH_NODE {
    to[p * LANES] = u[p];
#pragma unroll
    for (u32 s = 0; s < STATES; ++s) to[(1 + s) * SLOTS + p * LANES] = states[p][s];
#if MODES
#pragma unroll
    for (u32 m = 0; m < MODES; ++m) to[(1 + STATES + m) * SLOTS + p * LANES] = couplings[m] * modes.y[p][m];
#endif
  }
#endif
}
