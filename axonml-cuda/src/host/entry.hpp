// Entry points after the kernel's text, called by the Rust side.

// Stack of a thread: some dozens of numbers per node, and a few per state and mode.
const size_t shim::STACK_BYTES = (512u << 10) + sizeof(REAL) * P * (64u + 8u * STATES + 8u * MODES);

// Arguments of a kernel, in its order.
struct HostTables {
  const Header* header;
  const u32* ints;
  const REAL* reals;
  const double* doubles;
  u32* out_ints;
  REAL* out_reals;
  REAL* kept;
  REAL* back;
  double* lane_sums;
  double* sums;
  REAL* trace;
};

static void axonml_body(void* pointer) {
  const HostTables& t = *static_cast<const HostTables*>(pointer);
#if GRADIENT
  KERNEL(t.header, t.ints, t.reals, t.doubles, t.out_ints, t.out_reals, t.kept, t.back, t.lane_sums, t.sums, t.trace);
#else
  KERNEL(t.header, t.ints, t.reals, t.doubles, t.out_ints, t.out_reals);
#endif
}

// Runs the blocks first_block .. end_block; null, or a message that lives as long as the library.
extern "C" const char* axonml_host_run(unsigned first_block, unsigned end_block, unsigned threads, unsigned order,
                                       unsigned long long seed, const HostTables* tables) {
  HostTables here_tables = *tables;
  std::vector<shim::Block> storage(1);
  shim::Block& here = storage[0];
  here.body = axonml_body;
  here.arguments = &here_tables;
  for (unsigned b = first_block; b < end_block; ++b) {
    blockIdx.x = b;
    if (const char* problem = shim::run_block(here, threads, (shim::Order)order, seed + b)) return problem;
  }
  return nullptr;
}
