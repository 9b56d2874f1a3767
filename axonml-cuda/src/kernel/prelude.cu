// What every kernel begins with: number types, bit access and the functions of the operation table that C does not have.
// They are straight lines of arithmetic and selections, as on the CPU: NaN arguments give NaN.

typedef unsigned int u32;
typedef unsigned long long u64;

#define LANES 32
#define ALL_LANES 0xffffffffu
#define NONE 0xffffffffu
// Numbers of a row over a fibre: node i lies at (i % P) * LANES + i / P, so that the lanes of a warp read one line.
#define SLOTS (P * LANES)
// Short fibres live in registers; long ones in local memory, where unrolled code would only be longer.
#if P <= 8
#define EACH_NODE _Pragma("unroll") for (u32 p = 0; p < P; ++p)
#else
#define EACH_NODE _Pragma("unroll 1") for (u32 p = 0; p < P; ++p)
#endif
#define DEVICE static __device__ __forceinline__

#if REAL_IS_FLOAT
typedef float REAL;
#define F(name) name##f
#define REAL_INF __int_as_float(0x7f800000)
#define REAL_NAN __int_as_float(0x7fffffff)
#define REAL_MAX 3.402823466e38f
DEVICE REAL half_exp2(REAL t) { return __uint_as_float((__float_as_uint(t) << 23) + (126u << 23)); }
#else
typedef double REAL;
#define F(name) name
#define REAL_INF __longlong_as_double(0x7ff0000000000000ll)
#define REAL_NAN __longlong_as_double(0x7fffffffffffffffll)
#define REAL_MAX 1.7976931348623157e308
DEVICE REAL half_exp2(REAL t) {
  const u64 bits = (u64)__double_as_longlong(t);
  return __longlong_as_double((long long)((bits << 52) + (1022ull << 52)));
}
#endif
#define ZERO ((REAL)0)
#define ONE ((REAL)1)

DEVICE bool is_finite(REAL x) { return F(fabs)(x) <= REAL_MAX; }

// x = n ln 2 + r with |r| <= ln(2)/2: expm1(r) and 2^(n-1).
DEVICE REAL reduce(REAL x, REAL& half) {
  // Adding ROUND rounds to an integer, found in the low bits of t: no conversion, NaN stays NaN.
  const REAL t = F(fma)(x, LOG2_E, ROUND);
  const REAL n = t - ROUND;
  const REAL r = F(fma)(n, -LN2_LO, F(fma)(n, -LN2_HI, x));
  half = half_exp2(t);
  return F(fma)(r * r, EXPM1_POLYNOMIAL(r), r);
}

// a/b; in single precision by the reciprocal, which errs by 2 ulp and gives 0 for b beyond 2^126.
#if REAL_IS_FLOAT
DEVICE REAL divide(REAL a, REAL b) { return __fdividef(a, b); }
#else
DEVICE REAL divide(REAL a, REAL b) { return a / b; }
#endif

// 1/(1 + e^-x).
DEVICE REAL F(sigmoid)(REAL x) { return ONE / (ONE + F(exp)(-x)); }

// x/(e^x - 1), 1 at 0.
DEVICE REAL F(exprelr)(REAL x) {
  // Between these bounds e^x - 1 is neither -1 nor infinite. A NaN is lost here and comes back with the division.
  const REAL bounded = F(fmin)(F(fmax)(x, EXPM1_MIN), EXP_MAX);
  REAL half;
  const REAL p = reduce(bounded, half);
  const REAL expm1_half = F(fma)(p, half, half - (REAL)0.5);
  REAL y = divide(x, expm1_half + expm1_half);
  y = x == ZERO ? ONE : y;
  return x > EXP_MAX ? ZERO : y;
}
