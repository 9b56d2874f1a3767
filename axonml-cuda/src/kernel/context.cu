// Where a warp finds its fiber in the flat tables that the host packs.

#define DEVICE_MEMBER __device__ __forceinline__

// A kernel, one warp to a fiber: its signature, and the arguments of a `Context` in the order of its members.
#if GRADIENT
#define GRADIENT_TABLES , REAL* kept, REAL* back, double* lane_sums, double* sums, REAL* trace
#define ARGUMENTS {header, ints, reals, doubles, out_ints, out_reals, kept, back, lane_sums, sums, trace}
#else
#define GRADIENT_TABLES
#define ARGUMENTS {header, ints, reals, doubles, out_ints, out_reals}
#endif
#define FIBER_KERNEL                                                                                     \
  extern "C" __global__ void __launch_bounds__(WARPS * LANES, BLOCKS_PER_MULTIPROCESSOR)                 \
  KERNEL(const Header* header, const u32* ints, const REAL* reals, const double* doubles, u32* out_ints, \
         REAL* out_reals GRADIENT_TABLES)

// Words of a fiber and of a source in the integer tables.
enum { FIBER_NODES, FIBER_CABLE, FIBER_PARAMETERS, FIBER_START, FIBER_FIRST_SOURCE, FIBER_SOURCES, FIBER_SELECTION, FIBER_WORDS };
enum { SOURCE_FIELD, SOURCE_WAVEFORM, SOURCE_FLAGS, SOURCE_WORDS };
// A source with an own field for every step; one that acts on modes too.
enum { PER_STEP = 1, ON_MODES = 2 };

// Words of a fiber's result in the integer output.
enum { RESULT_STATUS, RESULT_STATE, RESULT_NODE, RESULT_WORDS };

struct Context {
  const Header* header;
  const u32* ints;
  const REAL* reals;
  const double* doubles;
  u32* out_ints;
  REAL* out_reals;
#if GRADIENT
  // Kept states, cotangents of a state, running sums of the lanes, sums of the fiber, cotangents of single steps.
  REAL* kept;
  REAL* back;
  double* lane_sums;
  double* sums;
  REAL* trace;
#endif
  u32 fiber, lane, nodes, cable, parameters, start, first_source, sources, selection;

  // The warp's fiber; false if it has none.
  DEVICE_MEMBER bool load() {
    lane = threadIdx.x % LANES;
    fiber = blockIdx.x * WARPS + threadIdx.x / LANES;
    if (fiber >= header->fibers) return false;
    const u32* words = ints + header->fiber_words + (u64)fiber * FIBER_WORDS;
    nodes = words[FIBER_NODES];
    cable = words[FIBER_CABLE];
    parameters = words[FIBER_PARAMETERS];
    start = words[FIBER_START];
    first_source = words[FIBER_FIRST_SOURCE];
    sources = words[FIBER_SOURCES];
    selection = words[FIBER_SELECTION];
    return true;
  }

  DEVICE_MEMBER u32* result() const { return out_ints + header->results + (u64)fiber * RESULT_WORDS; }
};

// Ends a fiber whose lane-local node `first` (P: none) is bad in some lane, the lowest such node named; its lane, or LANES
// if there is none.
DEVICE u32 end_at(const Context& x, u32 first, u32 status, u32 state) {
  const u32 lanes = __ballot_sync(ALL_LANES, first < P);
  if (lanes == 0) return LANES;
  const u32 lowest = __ffs(lanes) - 1;
  if (x.lane == lowest) {
    u32* result = x.result();
    result[RESULT_STATUS] = status;
    result[RESULT_STATE] = state;
    result[RESULT_NODE] = x.lane * P + first;
  }
  return lowest;
}

// Of numbers per node, the one after the lane's last; the last lane gets its own.
DEVICE REAL first_of_next_lane(const REAL (&nodes)[P]) { return __shfl_down_sync(ALL_LANES, nodes[0], 1); }
