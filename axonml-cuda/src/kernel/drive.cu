// The stimulus: waveform times gain times unit field, summed over the sources that are on. Lane s looks after
// source s (and s + 32, ..): which field, and how strong it is during a step.

#define FIELD_ROWS (1 + MODES)

struct Drive {
  u32 field, flags;
  // Null where the field itself changes with time.
  const double* waveform;
  double gain;
  // Strength of the lane's source during the present step, and during the next.
  REAL strength, next;

  DEVICE_MEMBER void load_source(const Context& x, u32 index) {
    waveform = nullptr;
    flags = 0;
    field = 0;
    gain = 0.0;
    if (index < x.sources) {
      const u32* words = x.ints + x.header->source_words + (u64)(x.first_source + index) * SOURCE_WORDS;
      field = words[SOURCE_FIELD];
      if (words[SOURCE_WAVEFORM] != NONE)
        waveform = x.doubles + x.header->waveforms + (u64)words[SOURCE_WAVEFORM] * x.header->steps;
      flags = words[SOURCE_FLAGS];
      gain = x.doubles[x.header->gains + x.first_source + index];
    }
  }

  DEVICE_MEMBER void load(const Context& x) { load_source(x, x.lane); }

  // Strength of the lane's source during `step`.
  DEVICE_MEMBER REAL look_up(u32 step) const {
    return (REAL)(waveform != nullptr ? waveform[step] * gain : gain);
  }

  // Calls act(factor, values) for every source that is on and acts on a quantity in `kinds`.
  template <class Act> DEVICE_MEMBER void each_source(const Context& x, u32 step, u32 kinds, Act act) const {
    u32 on = __ballot_sync(ALL_LANES, strength != ZERO && (flags & kinds) == kinds);
    while (on != 0) {
      const u32 s = __ffs(on) - 1;
      on &= on - 1;
      const REAL factor = __shfl_sync(ALL_LANES, strength, s);
      u64 index = __shfl_sync(ALL_LANES, field, s);
      if (__shfl_sync(ALL_LANES, flags, s) & PER_STEP) index += step - (u32)x.header->first_step;
      act(factor, x.reals + x.header->fields + index * (FIELD_ROWS * SLOTS) + x.lane);
    }
  }

  // The same with the sources that the lanes have no room for.
  template <class Act> DEVICE_MEMBER void each(const Context& x, u32 step, u32 kinds, Act act) const {
    each_source(x, step, kinds, act);
    for (u32 base = LANES; base < x.sources; base += LANES) {
      Drive more;
      more.load_source(x, base + x.lane);
      more.strength = more.look_up(step);
      more.each_source(x, step, kinds, act);
    }
  }

  // Adds the currents into the nodes during `step`.
  DEVICE_MEMBER void add_to_nodes(const Context& x, u32 step, REAL (&current)[P]) const {
    each(x, step, 0, [&](REAL factor, const REAL* values) {
      EACH_NODE { current[p] = F(fma)(factor, values[p * LANES], current[p]); }
    });
  }

#if MODES && !REVERSE
  // Adds the sources' increments of the modes at `step`.
  DEVICE_MEMBER void add_to_modes(const Context& x, u32 step, Modes& modes) const {
    each(x, step, ON_MODES, [&](REAL factor, const REAL* values) {
      EACH_NODE {
#pragma unroll
        for (u32 m = 0; m < MODES; ++m)
          modes.y[p][m] = F(fma)(factor, values[(1 + m) * SLOTS + p * LANES], modes.y[p][m]);
      }
    });
  }
#endif
};
