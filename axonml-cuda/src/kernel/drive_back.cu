// VJP of the stimulus in a step, from the cotangents `y` of the currents into the nodes and those of the modes after
// it.

struct DriveBack {
  // The lane's own source among the first ones, as in the forward pass.
  Drive drive;
  // Whether the fiber has space-time potentials.
  bool dense;

  DEVICE_MEMBER void load(const Context& x) {
    drive.load(x);
    dense = __any_sync(ALL_LANES, (drive.flags & PER_STEP) != 0);
    for (u32 base = LANES; base < x.sources; base += LANES) {
      Drive more;
      more.load_source(x, base + x.lane);
      if (__any_sync(ALL_LANES, (more.flags & PER_STEP) != 0)) dense = true;
    }
  }

  DEVICE_MEMBER void collect_of(const Context& x, const Drive& own, u32 base, u32 step, const REAL (&y)[P],
                                const ModesBack& modes) const {
    const bool separable = own.waveform != nullptr;
    const double value = separable ? own.waveform[step] : 0.0;
    const REAL strength = (REAL)(value * own.gain);
    const bool waveforms = x.header->of_waveforms != 0;
    const bool strengths = waveforms || x.header->of_gains != 0;
    u32 wanted = __ballot_sync(ALL_LANES, separable && (waveforms || (strengths && value != 0.0)));
    while (wanted != 0) {
      const u32 s = __ffs(wanted) - 1;
      wanted &= wanted - 1;
      const u64 field = __shfl_sync(ALL_LANES, own.field, s);
      const REAL* values = x.reals + x.header->fields + field * (FIELD_ROWS * SLOTS) + x.lane;
      REAL dot = ZERO;
      EACH_NODE { dot = F(fma)(values[p * LANES], y[p], dot); }
#if MODES
      if (__shfl_sync(ALL_LANES, own.flags, s) & ON_MODES) {
        EACH_NODE {
#pragma unroll
          for (u32 m = 0; m < MODES; ++m)
            dot = F(fma)(values[(1 + m) * SLOTS + p * LANES] * modes.coupling[m], modes.z[p][m], dot);
        }
      }
#endif
      const double sum = (double)over_lanes(dot);
      if (x.lane == s) {
        const u64 source = x.first_source + base + s;
        x.sums[x.header->gain_sums + source] += value * sum;
        if (waveforms) {
          const u64 steps = x.header->run_end - x.header->first_step;
          x.sums[x.header->waveform_sums + source * steps + (step - (u32)x.header->first_step)] = own.gain * sum;
        }
      }
    }
    u32 on = __ballot_sync(ALL_LANES, separable && strength != ZERO && x.header->of_fields != 0);
    while (on != 0) {
      const u32 s = __ffs(on) - 1;
      on &= on - 1;
      const double factor = (double)__shfl_sync(ALL_LANES, strength, s);
      double* to = x.sums + x.header->field_sums + (u64)(x.first_source + base + s) * (FIELD_ROWS * SLOTS) + x.lane;
      EACH_NODE {
        to[p * LANES] = fma(factor, (double)y[p], to[p * LANES]);
#if MODES
#pragma unroll
        for (u32 m = 0; m < MODES; ++m) {
          double* of_mode = to + (1 + m) * SLOTS + p * LANES;
          *of_mode = fma(factor, (double)modes.z[p][m], *of_mode);
        }
#endif
      }
    }
  }

  DEVICE_MEMBER void collect(const Context& x, u32 step, const REAL (&y)[P], const ModesBack& modes) const {
    collect_of(x, drive, 0, step, y, modes);
    for (u32 base = LANES; base < x.sources; base += LANES) {
      Drive more;
      more.load_source(x, base + x.lane);
      collect_of(x, more, base, step, y, modes);
    }
    // A space-time potential has another field at every step: the host applies the rest of the VJP.
    const u32 room = (u32)x.header->traced_steps;
    if (room == 0 || !dense) return;
    REAL* to = x.trace + ((u64)x.fiber * room + (step - (u32)x.header->begin_step)) * (FIELD_ROWS * SLOTS) + x.lane;
    EACH_NODE {
      to[p * LANES] = y[p];
#if MODES
#pragma unroll
      for (u32 m = 0; m < MODES; ++m) to[(1 + m) * SLOTS + p * LANES] = modes.z[p][m];
#endif
    }
  }
};
