// Accumulators of a lane over its nodes and the steps, LANE_SUMS of them: in the kernel's own precision for a few
// steps, then flushed into double precision. Coefficients of the membrane come first, then those of the cable.

#define CABLE_SUMS_AT (COEFFICIENTS > CURRENTS_COEFFICIENTS ? COEFFICIENTS : CURRENTS_COEFFICIENTS)
// An explicit cable has 4; others have the modes' decays and couplings, then four per node.
#define CABLE_SUMS (LANE_SUMS - COEFFICIENTS - CURRENTS_COEFFICIENTS)
#define SUMS (CABLE_SUMS_AT + CABLE_SUMS)
#define SUMS_OR_1 (SUMS > 0 ? SUMS : 1)

struct Sums {
#if SHARED_SUMS
  // [sum][lane]
  REAL* own;
  DEVICE_MEMBER REAL& at(u32 index) const { return own[index * LANES]; }
#else
  REAL own[SUMS_OR_1];
  DEVICE_MEMBER REAL& at(u32 index) { return own[index]; }
#endif

  DEVICE_MEMBER void clear() {
#pragma unroll 1
    for (u32 i = 0; i < SUMS; ++i) at(i) = ZERO;
  }

  DEVICE_MEMBER void add(u32 index, REAL x) { at(index) += x; }

  // Adds a * b.
  DEVICE_MEMBER void add_product(u32 index, REAL a, REAL b) { at(index) = F(fma)(a, b, at(index)); }

  // Moves `count` sums from `first` on into the double-precision sums from `to` on.
  DEVICE_MEMBER void move(const Context& x, u32 first, u32 count, u32 to) {
    double* totals = x.lane_sums + ((u64)x.fiber * LANE_SUMS + to) * LANES + x.lane;
#pragma unroll 4
    for (u32 i = 0; i < count; ++i) {
      totals[i * LANES] += (double)at(first + i);
      at(first + i) = ZERO;
    }
  }

  // Sums of the step and the cable.
  DEVICE_MEMBER void flush(const Context& x) {
    move(x, 0, COEFFICIENTS, 0);
    move(x, CABLE_SUMS_AT, CABLE_SUMS, COEFFICIENTS + CURRENTS_COEFFICIENTS);
  }
};

template <class T> DEVICE T over_lanes(T x) {
#pragma unroll
  for (u32 distance = LANES / 2; distance > 0; distance /= 2) x += __shfl_xor_sync(ALL_LANES, x, distance);
  return x;
}
