#define REAL_IS_FLOAT 0
#define P 2
#define WARPS 1
#define BLOCKS_PER_MULTIPROCESSOR 12
#define STATES 4
#define STATES_OR_1 4
#define EXPLICIT_CABLE 1
#define MODES 0
#define STATE_ROWS 5
#define FINAL_STATES 1
#define QUIET_END 0
#define GRADIENT 0
#define REVERSE 0
#define LOG2_E 1.4426950408889634
#define SUSPECT_SCALE 4.494232837155789e304
#define QUARTER 0.25
#define STABLE 2.0
#define LARGEST_STABILITY 3.0
#define LARGEST_AMPLIFICATION 5.0
#define EXP_MAX 709.782712893384
#define LN2_HI 0.693147180559663
#define LN2_LO 2.8235290563031577e-13
#define ROUND 6755399441055744.0
#define EXPM1_MIN (-40.0)
#define EXPM1_POLYNOMIAL(r) F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(2.091468696808689e-9, r, 2.5105217004720745e-8), r, 2.75572736431103e-7), r, 2.7557255400206422e-6), r, 2.4801587325547743e-5), r, 0.00019841269874820627), r, 0.0013888888888883748), r, 0.008333333333326136), r, 0.04166666666666667), r, 0.1666666666666667), r, 0.5)

#define PARAMETERS 0

// Constants that differ between fibers.
struct Parameters {
  DEVICE_MEMBER void load(const REAL* table) {
    (void)table;
  }
};

DEVICE void membrane_currents(const Parameters& k, const REAL u, REAL (&x)[STATES_OR_1], REAL& g, REAL& j) {
  const REAL t0 = x[0] * x[0];
  const REAL t1 = x[0] * t0;
  const REAL t2 = t1 * 3.0;
  const REAL t3 = x[1] * t2;
  const REAL t4 = x[2] * x[2];
  const REAL t5 = x[2] * t4;
  const REAL t6 = fma(t5, 0.01, t3);
  const REAL t7 = t5 * 0.5;
  const REAL t8 = fma(t3, 50.0, t7);
  const REAL t9 = fma(x[3], 0.08, t6);
  const REAL t10 = fma(x[3], (-7.2), t8);
  const REAL t11 = t9 + 0.007;
  const REAL t12 = t10 + (-0.63);
  g = t11;
  j = t12;
}

DEVICE void membrane_step(const Parameters& k, const REAL u, REAL (&x)[STATES_OR_1], REAL& g, REAL& j) {
  const REAL t0 = fma(u, (-0.0970873786407767), (-2.077669902912621));
  const REAL t1 = exprelr(t0);
  const REAL t2 = fma(u, 0.1091703056768559, 2.8056768558951966);
  const REAL t3 = exprelr(t2);
  const REAL t4 = t1 * 73.19286148974781;
  const REAL t5 = fma(u, 0.09090909090909091, 10.363636363636363);
  const REAL t6 = exprelr(t5);
  const REAL t7 = fma(u, 0.07462686567164178, 2.373134328358209);
  const REAL t8 = sigmoid(t7);
  const REAL t9 = t6 * 4.167359541387273;
  const REAL t10 = fma(u, (-0.09803921568627452), (-2.647058823529412));
  const REAL t11 = exprelr(t10);
  const REAL t12 = fma(u, 0.1, 3.4);
  const REAL t13 = exprelr(t12);
  const REAL t14 = t11 * 0.3896895224947425;
  const REAL t15 = fma(u, 0.2, 10.6);
  const REAL t16 = sigmoid(t15);
  const REAL t17 = fma(u, 1.0, 90.0);
  const REAL t18 = sigmoid(t17);
  const REAL t19 = fma(t16, 0.3348369522101713, 3.3483695221017133e-18);
  const REAL t20 = fma(t18, 0.03348369522101713, 3.348369522101713e-19);
  const REAL t21 = fma(t3, 3.0096256690241012, t4);
  const REAL t22 = divide(t4, t21);
  const REAL t23 = fma(t8, 14.05414508092482, t9);
  const REAL t24 = divide(t9, t23);
  const REAL t25 = fma(t13, 0.009551213786635846, t14);
  const REAL t26 = divide(t14, t25);
  const REAL t27 = t19 + t20;
  const REAL t28 = divide(t19, t27);
  const REAL t29 = t21 * (-0.005);
  const REAL t30 = x[0] - t22;
  const REAL t31 = exponential(t29);
  const REAL t32 = fma(t30, t31, t22);
  const REAL t33 = t23 * (-0.005);
  const REAL t34 = x[1] - t24;
  const REAL t35 = exponential(t33);
  const REAL t36 = fma(t34, t35, t24);
  const REAL t37 = t25 * (-0.005);
  const REAL t38 = x[2] - t26;
  const REAL t39 = exponential(t37);
  const REAL t40 = fma(t38, t39, t26);
  const REAL t41 = t27 * (-0.005);
  const REAL t42 = x[3] - t28;
  const REAL t43 = exponential(t41);
  const REAL t44 = fma(t42, t43, t28);
  const REAL t45 = t32 * t32;
  const REAL t46 = t32 * t45;
  const REAL t47 = t46 * 3.0;
  const REAL t48 = t36 * t47;
  const REAL t49 = t40 * t40;
  const REAL t50 = t40 * t49;
  const REAL t51 = fma(t50, 0.01, t48);
  const REAL t52 = t50 * 0.5;
  const REAL t53 = fma(t48, 50.0, t52);
  const REAL t54 = fma(t44, 0.08, t51);
  const REAL t55 = fma(t44, (-7.2), t53);
  const REAL t56 = t54 + 0.007;
  const REAL t57 = t55 + (-0.63);
  const REAL y0 = t32;
  const REAL y1 = t36;
  const REAL y2 = t40;
  const REAL y3 = t44;
  g = t56;
  j = t57;
  x[0] = y0;
  x[1] = y1;
  x[2] = y2;
  x[3] = y3;
}

struct Observers {
  Active o0;
  Count o1;
  Raster o2;
  Recorder<1, 0> o3;
  Recorder<> o4;
  Maximum o5;
  Active o6;
  Recorder<1, 0> o7;
  DEVICE_MEMBER void load(const Context& x) {
    o0.load(x, 0);
    o1.load(x, 1);
    o2.load(x, 2);
    o3.load(x, 3);
    o4.load(x, 4);
    o5.load(x, 5);
    o6.load(x, 6);
    o7.load(x, 7);
  }
  DEVICE_MEMBER void see(const Context& x, u32 state, const REAL (&u)[P], const REAL (&before)[P], const REAL (&states)[P][STATES_OR_1]) {
    o0.see(x, state, u, before, states);
    o1.see(x, state, u, before, states);
    o2.see(x, state, u, before, states);
    o3.see(x, state, u, before, states);
    o4.see(x, state, u, before, states);
    o5.see(x, state, u, before, states);
    o6.see(x, state, u, before, states);
    o7.see(x, state, u, before, states);
  }
  DEVICE_MEMBER void finish(const Context& x) const {
    o0.finish(x);
    o1.finish(x);
    o2.finish(x);
    o3.finish(x);
    o4.finish(x);
    o5.finish(x);
    o6.finish(x);
    o7.finish(x);
  }
  DEVICE_MEMBER bool answered() const { return false; }
};
