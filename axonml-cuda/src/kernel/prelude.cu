// Common prelude of all kernels: number types, bit access and the functions of the operation table that C does not
// have. They are straight lines of arithmetic and selections, as on the CPU: NaN arguments give NaN.

typedef unsigned int u32;
typedef unsigned long long u64;

#define LANES 32
#define ALL_LANES 0xffffffffu
#define NONE 0xffffffffu
// Numbers of a row over a fiber: node i lies at (i % P) * LANES + i / P, so that the lanes of a warp read one line.
#define SLOTS (P * LANES)
// Short fibers live in registers; long ones in local memory, where unrolled code would only be longer.
#if P <= 8
#define EACH_NODE _Pragma("unroll") for (u32 p = 0; p < P; ++p)
#else
#define EACH_NODE _Pragma("unroll 1") for (u32 p = 0; p < P; ++p)
#endif
#define DEVICE static __device__ __forceinline__
// Memory that the warps of a block share, so many numbers for each.
#ifndef SHARED_TABLE
#define SHARED_TABLE(name, count) __shared__ __align__(16) REAL name[WARPS * (count)]
#endif

#if REAL_IS_FLOAT
typedef float REAL;
#define F(name) name##f
#define REAL_INF __int_as_float(0x7f800000)
#define REAL_NAN __int_as_float(0x7fffffff)
#define REAL_MAX 3.402823466e38f
#else
typedef double REAL;
#define F(name) name
#define REAL_INF __longlong_as_double(0x7ff0000000000000ll)
#define REAL_NAN __longlong_as_double(0x7fffffffffffffffll)
#define REAL_MAX 1.7976931348623157e308
#endif
#define ZERO ((REAL)0)
#define ONE ((REAL)1)

DEVICE bool is_finite(REAL x) { return F(fabs)(x) <= REAL_MAX; }

#if REAL_IS_FLOAT

// Single precision uses the device's own functions of a few bits less than the last. e^x errs by 2 ulp, and by the
// rounding of x log2(e): no more than the rounding of x itself.
DEVICE REAL exponential(REAL x) { return exp2f(x * LOG2_E); }

// a/b, by the reciprocal: within 2 ulp, and 0 for b beyond 2^126.
DEVICE REAL divide(REAL a, REAL b) { return __fdividef(a, b); }

// x/(e^x - 1), 1 at 0: the Taylor series within the unit interval, where the difference would cancel.
DEVICE REAL exprelrf(REAL x) {
  const REAL x2 = x * x;
  REAL near = fmaf(x2, (REAL)(-1.0 / 1209600.0), (REAL)(1.0 / 30240.0));
  near = fmaf(near, x2, (REAL)(-1.0 / 720.0));
  near = fmaf(near, x2, (REAL)(1.0 / 12.0));
  near = fmaf(near, x2, fmaf(x, -0.5f, 1.0f));
  const REAL bounded = x > EXP_MAX ? EXP_MAX : x;
  const REAL far = divide(bounded, exponential(bounded) - ONE);
  return x2 < ONE ? near : far;
}

#else

DEVICE REAL exponential(REAL x) { return exp(x); }

DEVICE REAL divide(REAL a, REAL b) { return a / b; }

// 2^(n-1) from t = n + ROUND.
DEVICE REAL half_exp2(REAL t) {
  const u64 bits = (u64)__double_as_longlong(t);
  return __longlong_as_double((long long)((bits << 52) + (1022ull << 52)));
}

// x/(e^x - 1), 1 at 0.
DEVICE REAL exprelr(REAL x) {
  // Between these bounds e^x - 1 is neither -1 nor infinite. A NaN is lost here and restored by the division.
  const REAL bounded = fmin(fmax(x, EXPM1_MIN), EXP_MAX);
  // bounded = n ln 2 + r with |r| <= ln(2)/2. Adding ROUND rounds to an integer, found in the low bits of t.
  const REAL t = fma(bounded, LOG2_E, ROUND);
  const REAL n = t - ROUND;
  const REAL r = fma(n, -LN2_LO, fma(n, -LN2_HI, bounded));
  const REAL half = half_exp2(t);
  const REAL expm1_r = fma(r * r, EXPM1_POLYNOMIAL(r), r);
  const REAL expm1_half = fma(expm1_r, half, half - 0.5);
  REAL y = x / (expm1_half + expm1_half);
  y = x == ZERO ? ONE : y;
  return x > EXP_MAX ? ZERO : y;
}

#endif

// 1/(1 + e^-x).
DEVICE REAL F(sigmoid)(REAL x) { return divide(ONE, ONE + exponential(-x)); }
