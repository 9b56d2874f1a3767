// Where a warp finds its fibre in the flat tables that the host packs.

#define DEVICE_MEMBER __device__ __forceinline__

#if GRADIENT
#define GRADIENT_TABLES , REAL* kept, REAL* back, double* lane_sums, double* sums, REAL* trace
#else
#define GRADIENT_TABLES
#endif

// Words of a fibre and of a source in the integer tables.
enum { FIBER_NODES, FIBER_CABLE, FIBER_PARAMETERS, FIBER_START, FIBER_FIRST_SOURCE, FIBER_SOURCES, FIBER_SELECTION, FIBER_WORDS };
enum { SOURCE_FIELD, SOURCE_WAVEFORM, SOURCE_FLAGS, SOURCE_WORDS };
// A source with an own field for every step; one that acts on modes too.
enum { PER_STEP = 1, ON_MODES = 2 };

// Words of a fibre's result in the integer output.
enum { RESULT_STATUS, RESULT_STATE, RESULT_NODE, RESULT_WORDS };
// The last one: cotangents that are not finite.
enum { COMPLETED, ANSWERED, DIVERGED, UNSTABLE, NOT_FINITE };

struct Context {
  const Header* header;
  const u32* ints;
  const REAL* reals;
  const double* doubles;
  u32* out_ints;
  REAL* out_reals;
#if GRADIENT
  // Kept states, cotangents of a state, running sums of the lanes, sums of the fibre, cotangents of single steps.
  REAL* kept;
  REAL* back;
  double* lane_sums;
  double* sums;
  REAL* trace;
#endif
  u32 fiber, lane, nodes, cable, parameters, start, first_source, sources, selection;

  DEVICE_MEMBER void load() {
    const u32* words = ints + header->fiber_words + (u64)fiber * FIBER_WORDS;
    nodes = words[FIBER_NODES];
    cable = words[FIBER_CABLE];
    parameters = words[FIBER_PARAMETERS];
    start = words[FIBER_START];
    first_source = words[FIBER_FIRST_SOURCE];
    sources = words[FIBER_SOURCES];
    selection = words[FIBER_SELECTION];
  }

  DEVICE_MEMBER u32* result() const { return out_ints + header->results + (u64)fiber * RESULT_WORDS; }
};
