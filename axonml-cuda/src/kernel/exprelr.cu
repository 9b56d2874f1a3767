// Derivatives of x/(e^x - 1).

// Bernoulli numbers B_n/(n-1)!, n = 2, 4, ..: the first derivative is -1/2 + sum c_k x^(2k+1).
#define EXPRELR_SERIES(TERM)                                                                                    \
  TERM(11, -236364091.0 / 2730.0 / 25852016738884976640000.0)                                                   \
  TERM(10, 854513.0 / 138.0 / 51090942171709440000.0)                                                           \
  TERM(9, -174611.0 / 330.0 / 121645100408832000.0)                                                             \
  TERM(8, 43867.0 / 798.0 / 355687428096000.0)                                                                  \
  TERM(7, -3617.0 / 510.0 / 1307674368000.0)                                                                    \
  TERM(6, 7.0 / 6.0 / 6227020800.0)                                                                             \
  TERM(5, -691.0 / 2730.0 / 39916800.0)                                                                         \
  TERM(4, 5.0 / 66.0 / 362880.0)                                                                                \
  TERM(3, -1.0 / 30.0 / 5040.0)                                                                                 \
  TERM(2, 1.0 / 42.0 / 120.0)                                                                                   \
  TERM(1, -1.0 / 30.0 / 6.0)                                                                                    \
  TERM(0, 1.0 / 6.0)

// Beyond this magnitude both derivatives have reached their limits.
#define EXPRELR_FAR ((REAL)80)

DEVICE REAL exprelr_clamp(REAL x) {
  x = x > EXPRELR_FAR ? EXPRELR_FAR : x;
  return x < -EXPRELR_FAR ? -EXPRELR_FAR : x;
}

// x/(e^x - 1), and its first derivative, -1/2 at 0: one exponential for both.
DEVICE REAL exprelr_derivative(REAL x, REAL& derivative) {
  const REAL x2 = x * x;
  REAL series = ZERO;
#define TERM(k, value) series = F(fma)(series, x2, (REAL)(value));
  EXPRELR_SERIES(TERM)
#undef TERM
  const REAL near = F(fma)(x, series, (REAL)-0.5);
  // Beyond the clamp the derivative has reached its limit, and the function is 0 or -x.
  const REAL f = exprelr_clamp(x);
  const REAL e = F(exprelr)(f);
  derivative = x2 < ONE ? near : divide(e * (ONE - e - f), f);
  const REAL far = x > ZERO ? ZERO : -x;
  return x == f ? e : x != x ? x : far;
}

// First derivative; -1/2 at 0.
DEVICE REAL F(exprelr_d1)(REAL x) {
  REAL derivative;
  exprelr_derivative(x, derivative);
  return derivative;
}

// Second derivative; 1/6 at 0.
DEVICE REAL F(exprelr_d2)(REAL x) {
  const REAL x2 = x * x;
  REAL near = ZERO;
#define TERM(k, value) near = F(fma)(near, x2, (REAL)((2 * k + 1) * (value)));
  EXPRELR_SERIES(TERM)
#undef TERM
  // Even in x: the positive side has no cancellation.
  const REAL f = exprelr_clamp(F(fabs)(x));
  const REAL e = F(exprelr)(f);
  const REAL d1 = divide(e * (ONE - e - f), f);
  return x2 < ONE ? near : -divide(e * (2 * d1 + ONE), f) - d1;
}
