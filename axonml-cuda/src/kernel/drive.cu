// The stimulus: waveform times amplitude times unit field, summed over the sources that are on. Lane s looks after
// source s (and s + 32, ..): which field, and how strong it is in the coming step.

#if DOUBLE_CABLE
#define FIELD_ROWS 21
#else
#define FIELD_ROWS 1
#endif

struct Drive {
  u32 field, waveform, flags;
  double amplitude;
  REAL strength;

  DEVICE_MEMBER void load_source(const Context& x, u32 index) {
    waveform = NONE;
    flags = 0;
    field = 0;
    amplitude = 0.0;
    if (index < x.sources) {
      const u32* words = x.ints + x.header->source_words + (u64)(x.first_source + index) * SOURCE_WORDS;
      field = words[SOURCE_FIELD];
      waveform = words[SOURCE_WAVEFORM];
      flags = words[SOURCE_FLAGS];
      amplitude = x.doubles[x.header->amplitudes + x.first_source + index];
    }
  }

  DEVICE_MEMBER void load(const Context& x) { load_source(x, x.lane); }

  // Strength of the lane's source during `step`.
  DEVICE_MEMBER void look_up(const Context& x, u32 step) {
    double w = amplitude;
    if (waveform != NONE) w *= x.doubles[x.header->waveforms + (u64)waveform * x.header->steps + step];
    strength = (REAL)w;
  }

  // Adds what the sources looked up for `step` do.
  DEVICE_MEMBER void add_sources(const Context& x, u32 step, REAL (&current)[P] MODES_ARGUMENT) const {
    u32 on = __ballot_sync(ALL_LANES, strength != ZERO);
    while (on != 0) {
      const u32 s = __ffs(on) - 1;
      on &= on - 1;
      const REAL factor = __shfl_sync(ALL_LANES, strength, s);
      const u32 kind = __shfl_sync(ALL_LANES, flags, s);
      u64 index = __shfl_sync(ALL_LANES, field, s);
      if (kind & PER_STEP) index += step - (u32)x.header->first_step;
      const REAL* values = x.reals + x.header->fields + index * (FIELD_ROWS * SLOTS) + x.lane;
      EACH_NODE { current[p] = F(fma)(factor, values[p * LANES], current[p]); }
#if DOUBLE_CABLE
      if (kind & ON_MODES) {
        values += SLOTS;
        EACH_NODE {
#pragma unroll
          for (u32 m = 0; m < MODES; ++m)
            modes.z[p][m] = F(fma)(factor, values[m * SLOTS + p * LANES], modes.z[p][m]);
        }
      }
#endif
    }
  }

  // Adds what all sources do during `step`, which `look_up` was called with.
  DEVICE_MEMBER void add(const Context& x, u32 step, REAL (&current)[P] MODES_ARGUMENT) const {
    add_sources(x, step, current MODES_VALUE);
    for (u32 base = LANES; base < x.sources; base += LANES) {
      Drive more;
      more.load_source(x, base + x.lane);
      more.look_up(x, step);
      more.add_sources(x, step, current MODES_VALUE);
    }
  }
};
