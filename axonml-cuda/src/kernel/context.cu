// Where a warp finds its fibre in the flat tables that the host packs.

#define DEVICE_MEMBER __device__ __forceinline__

// Words of a fibre and of a source in the integer tables.
enum { FIBER_NODES, FIBER_CABLE, FIBER_PARAMETERS, FIBER_START, FIBER_FIRST_SOURCE, FIBER_SOURCES, FIBER_SELECTION, FIBER_WORDS };
enum { SOURCE_FIELD, SOURCE_WAVEFORM, SOURCE_FLAGS, SOURCE_WORDS };
// A source with an own field for every step; one that acts on modes too.
enum { PER_STEP = 1, ON_MODES = 2 };

struct Context {
  const Header* header;
  const u32* ints;
  const REAL* reals;
  const double* doubles;
  u32* out_ints;
  REAL* out_reals;
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
};
