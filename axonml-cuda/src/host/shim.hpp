// Runs CUDA kernels on the processor: a header before the kernel's own text, for C++17 compilers.
//
// Every thread of a block is a fiber with a stack of its own. A fiber runs until it reaches a warp-level operation
// (shuffle, vote, __syncwarp), leaves its operand and is switched out; when all 32 lanes of its warp have arrived at
// the same operation it is carried out for all at once. Between such operations threads run one after the other, in an
// order that can be chosen, so that a read of a value that another thread has not yet written shows. Shared memory
// starts as NaN.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>
// Many times faster than the system's switch, which other processors use.
#if defined(__x86_64__) && !defined(SHIM_SYSTEM_SWITCH)
#define SHIM_OWN_SWITCH
#endif
#if !defined(SHIM_OWN_SWITCH)
#include <ucontext.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define SHARED_TABLE(name, count)                              \
  static_assert(WARPS * (count) * sizeof(REAL) <= sizeof(shim::Block::shared), "more shared memory than there is"); \
  REAL* name = reinterpret_cast<REAL*>(shim::block->shared)

using std::exp;
using std::expm1;
using std::fabs;
using std::fma;
using std::fmax;
using std::fmin;
using std::log;
using std::sqrt;

namespace shim {

// Enough for the arrays that a kernel has per node; defined where the kernel's size is known.
extern const size_t STACK_BYTES;

enum State { READY, WAITING, FINISHED };
enum Operation { SYNC, BALLOT, SHUFFLE_UP, SHUFFLE_DOWN, SHUFFLE_XOR, SHUFFLE };
enum Order { FORWARD, REVERSE, RANDOM };

struct Thread {
  std::unique_ptr<unsigned char[]> stack;
#if defined(SHIM_OWN_SWITCH)
  void* stack_pointer;
#else
  ucontext_t context;
#endif
  State state;
  Operation operation;
  unsigned mask;
  int operand;
  uint64_t value, result;
};

struct Block {
  std::vector<Thread> threads;
#if defined(SHIM_OWN_SWITCH)
  void* scheduler;
#else
  ucontext_t scheduler;
#endif
  size_t current = 0;
  alignas(16) unsigned char shared[1 << 16];
  void (*body)(void*) = nullptr;
  void* arguments = nullptr;
};

static thread_local Block* block;

struct Index {
  unsigned x;
};

}  // namespace shim

static thread_local shim::Index threadIdx, blockIdx;

#if defined(SHIM_OWN_SWITCH)
// Saves the registers that a call preserves, changes stacks, and restores those of the other side.
extern "C" void shim_switch(void** save, void* load);
asm(R"(
.text
.globl shim_switch
.hidden shim_switch
.type shim_switch,@function
shim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size shim_switch,.-shim_switch
)");
#endif

namespace shim {

static void to_scheduler() {
  Thread& me = block->threads[block->current];
#if defined(SHIM_OWN_SWITCH)
  shim_switch(&me.stack_pointer, block->scheduler);
#else
  swapcontext(&me.context, &block->scheduler);
#endif
}

static void resume(Thread& thread) {
#if defined(SHIM_OWN_SWITCH)
  shim_switch(&block->scheduler, thread.stack_pointer);
#else
  swapcontext(&block->scheduler, &thread.context);
#endif
}

static void entry() {
  block->body(block->arguments);
  block->threads[block->current].state = FINISHED;
  to_scheduler();
  std::abort();
}

static void prepare(Thread& thread) {
  // Memory of the system's own, touched only where it is used.
  if (!thread.stack) thread.stack.reset(new unsigned char[STACK_BYTES]);
  thread.state = READY;
#if defined(SHIM_OWN_SWITCH)
  // As if `entry` had been called and then switched out: a return address, six registers.
  const uintptr_t top = (reinterpret_cast<uintptr_t>(thread.stack.get()) + STACK_BYTES) & ~uintptr_t(15);
  void** at = reinterpret_cast<void**>(top);
  *--at = nullptr;
  *--at = reinterpret_cast<void*>(entry);
  for (int k = 0; k < 6; ++k) *--at = nullptr;
  thread.stack_pointer = at;
#else
  getcontext(&thread.context);
  thread.context.uc_stack.ss_sp = thread.stack.get();
  thread.context.uc_stack.ss_size = STACK_BYTES;
  thread.context.uc_link = nullptr;
  makecontext(&thread.context, entry, 0);
#endif
}

// Leaves the operand, waits for the other lanes and returns the result.
static uint64_t collective(Operation operation, unsigned mask, uint64_t value, int operand) {
  Thread& me = block->threads[block->current];
  me.operation = operation;
  me.mask = mask;
  me.operand = operand;
  me.value = value;
  me.state = WAITING;
  to_scheduler();
  return block->threads[block->current].result;
}

// Carries out the operation that a whole warp waits for; a message if its lanes disagree.
static const char* complete(Thread* lanes) {
  uint64_t votes = 0;
  for (int i = 0; i < 32; ++i) {
    if (lanes[i].state != WAITING) return "a lane left its warp, and the others wait for it";
    if (lanes[i].operation != lanes[0].operation || lanes[i].operand != lanes[0].operand)
      return "lanes of a warp wait at different operations";
    if (lanes[i].mask != 0xffffffffu) return "a warp operation without all lanes";
    votes |= (lanes[i].value & 1) << i;
  }
  for (int i = 0; i < 32; ++i) {
    const int distance = lanes[i].operand;
    int from = i;
    switch (lanes[i].operation) {
      case SYNC: continue;
      case BALLOT: lanes[i].result = votes; continue;
      case SHUFFLE_UP: from = i - distance; break;
      case SHUFFLE_DOWN: from = i + distance; break;
      case SHUFFLE_XOR: from = i ^ distance; break;
      case SHUFFLE: from = distance & 31; break;
    }
    // Beyond the warp's ends a lane gets its own value back.
    lanes[i].result = lanes[from < 0 || from > 31 ? i : from].value;
  }
  for (int i = 0; i < 32; ++i) lanes[i].state = READY;
  return nullptr;
}

// Runs one block; a message if it went wrong.
static const char* run_block(Block& here, unsigned threads, Order order, uint64_t seed) {
  block = &here;
  here.threads.resize(threads);
  for (Thread& thread : here.threads) prepare(thread);
  std::memset(here.shared, 0xff, sizeof here.shared);
  std::vector<unsigned> sequence(threads);
  for (unsigned i = 0; i < threads; ++i) sequence[i] = order == REVERSE ? threads - 1 - i : i;
  for (;;) {
    if (order == RANDOM) {
      for (unsigned i = threads - 1; i > 0; --i) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        std::swap(sequence[i], sequence[(seed >> 33) % (i + 1)]);
      }
    }
    for (unsigned i : sequence) {
      Thread& thread = here.threads[i];
      if (thread.state != READY) continue;
      here.current = i;
      threadIdx.x = i;
      resume(thread);
    }
    bool all_finished = true;
    for (unsigned first = 0; first < threads; first += 32) {
      Thread* lanes = &here.threads[first];
      bool finished = true;
      for (int i = 0; i < 32; ++i) finished = finished && lanes[i].state == FINISHED;
      if (finished) continue;
      all_finished = false;
      if (const char* problem = complete(lanes)) return problem;
    }
    if (all_finished) return nullptr;
  }
}

template <class T> static uint64_t bits(T value) {
  uint64_t word = 0;
  std::memcpy(&word, &value, sizeof value);
  return word;
}

template <class T> static T from_bits(uint64_t word) {
  T value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

}  // namespace shim

static inline void __syncwarp(unsigned mask = 0xffffffffu) { shim::collective(shim::SYNC, mask, 0, 0); }
static inline unsigned __ballot_sync(unsigned mask, int vote) {
  return (unsigned)shim::collective(shim::BALLOT, mask, vote != 0, 0);
}
static inline int __any_sync(unsigned mask, int vote) { return __ballot_sync(mask, vote) != 0; }
template <class T> static inline T __shfl_up_sync(unsigned mask, T value, unsigned distance) {
  return shim::from_bits<T>(shim::collective(shim::SHUFFLE_UP, mask, shim::bits(value), (int)distance));
}
template <class T> static inline T __shfl_down_sync(unsigned mask, T value, unsigned distance) {
  return shim::from_bits<T>(shim::collective(shim::SHUFFLE_DOWN, mask, shim::bits(value), (int)distance));
}
template <class T> static inline T __shfl_xor_sync(unsigned mask, T value, unsigned distance) {
  return shim::from_bits<T>(shim::collective(shim::SHUFFLE_XOR, mask, shim::bits(value), (int)distance));
}
template <class T> static inline T __shfl_sync(unsigned mask, T value, int lane) {
  return shim::from_bits<T>(shim::collective(shim::SHUFFLE, mask, shim::bits(value), lane));
}
static inline float __fdividef(float a, float b) { return a / b; }
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __ffs(unsigned x) { return __builtin_ffs((int)x); }
static inline float __int_as_float(int x) { return shim::from_bits<float>(shim::bits(x)); }
static inline long long __double_as_longlong(double x) { return shim::from_bits<long long>(shim::bits(x)); }
static inline double __longlong_as_double(long long x) { return shim::from_bits<double>(shim::bits(x)); }
