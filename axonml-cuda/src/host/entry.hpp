// Behind the kernel's text: what the Rust side calls.

struct HostArguments {
  const Header* header;
  const u32* ints;
  const REAL* reals;
  const double* doubles;
  u32* out_ints;
  REAL* out_reals;
};

static void axonml_body(void* pointer) {
  const HostArguments& a = *static_cast<const HostArguments*>(pointer);
  axonml_rollout(a.header, a.ints, a.reals, a.doubles, a.out_ints, a.out_reals);
}

// Runs the blocks first_block .. end_block; null, or a message that lives as long as the library.
extern "C" const char* axonml_host_run(unsigned first_block, unsigned end_block, unsigned threads, unsigned order,
                                       unsigned long long seed, const Header* header, const u32* ints, const REAL* reals,
                                       const double* doubles, u32* out_ints, REAL* out_reals) {
  HostArguments arguments = {header, ints, reals, doubles, out_ints, out_reals};
  std::vector<shim::Block> storage(1);
  shim::Block& here = storage[0];
  here.body = axonml_body;
  here.arguments = &arguments;
  for (unsigned b = first_block; b < end_block; ++b) {
    blockIdx.x = b;
    if (const char* problem = shim::run_block(here, threads, (shim::Order)order, seed + b)) return problem;
  }
  return nullptr;
}
