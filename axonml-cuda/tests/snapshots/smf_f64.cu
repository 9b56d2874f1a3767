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
#define GRADIENT 0
#define REVERSE 0
#define LOG2_E 1.4426950408889634
#define EXP_MAX 709.782712893384
#define LN2_HI 0.693147180559663
#define LN2_LO 2.8235290563031577e-13
#define ROUND 6755399441055744.0
#define EXPM1_MIN (-40.0)
#define EXPM1_POLYNOMIAL(r) F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(F(fma)(2.091468696808689e-9, r, 2.5105217004720745e-8), r, 2.75572736431103e-7), r, 2.7557255400206422e-6), r, 2.4801587325547743e-5), r, 0.00019841269874820627), r, 0.0013888888888883748), r, 0.008333333333326136), r, 0.04166666666666667), r, 0.1666666666666667), r, 0.5)

#define PARAMETERS 0

// Constants that differ between fibres.
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
  const REAL t16 = t15 > (-40.0) || t15 != t15 ? t15 : (-40.0);
  const REAL t17 = sigmoid(t16);
  const REAL t18 = fma(u, 1.0, 90.0);
  const REAL t19 = t18 > (-40.0) || t18 != t18 ? t18 : (-40.0);
  const REAL t20 = sigmoid(t19);
  const REAL t21 = t17 * 0.3348369522101713;
  const REAL t22 = fma(t3, 3.0096256690241012, t4);
  const REAL t23 = divide(t4, t22);
  const REAL t24 = fma(t8, 14.05414508092482, t9);
  const REAL t25 = divide(t9, t24);
  const REAL t26 = fma(t13, 0.009551213786635846, t14);
  const REAL t27 = divide(t14, t26);
  const REAL t28 = fma(t20, 0.03348369522101713, t21);
  const REAL t29 = divide(t21, t28);
  const REAL t30 = t22 * (-0.005);
  const REAL t31 = x[0] - t23;
  const REAL t32 = exponential(t30);
  const REAL t33 = fma(t31, t32, t23);
  const REAL t34 = t24 * (-0.005);
  const REAL t35 = x[1] - t25;
  const REAL t36 = exponential(t34);
  const REAL t37 = fma(t35, t36, t25);
  const REAL t38 = t26 * (-0.005);
  const REAL t39 = x[2] - t27;
  const REAL t40 = exponential(t38);
  const REAL t41 = fma(t39, t40, t27);
  const REAL t42 = t28 * (-0.005);
  const REAL t43 = x[3] - t29;
  const REAL t44 = exponential(t42);
  const REAL t45 = fma(t43, t44, t29);
  const REAL t46 = t33 * t33;
  const REAL t47 = t33 * t46;
  const REAL t48 = t47 * 3.0;
  const REAL t49 = t37 * t48;
  const REAL t50 = t41 * t41;
  const REAL t51 = t41 * t50;
  const REAL t52 = fma(t51, 0.01, t49);
  const REAL t53 = t51 * 0.5;
  const REAL t54 = fma(t49, 50.0, t53);
  const REAL t55 = fma(t45, 0.08, t52);
  const REAL t56 = fma(t45, (-7.2), t54);
  const REAL t57 = t55 + 0.007;
  const REAL t58 = t56 + (-0.63);
  const REAL y0 = t33;
  const REAL y1 = t37;
  const REAL y2 = t41;
  const REAL y3 = t45;
  g = t57;
  j = t58;
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
  DEVICE_MEMBER void load(const Context& x) {
    o0.load(x, 0);
    o1.load(x, 1);
    o2.load(x, 2);
    o3.load(x, 3);
    o4.load(x, 4);
    o5.load(x, 5);
    o6.load(x, 6);
  }
  DEVICE_MEMBER void see(const Context& x, u32 state, const REAL (&u)[P], const REAL (&before)[P], const REAL (&states)[P][STATES_OR_1]) {
    o0.see(x, state, u, before, states);
    o1.see(x, state, u, before, states);
    o2.see(x, state, u, before, states);
    o3.see(x, state, u, before, states);
    o4.see(x, state, u, before, states);
    o5.see(x, state, u, before, states);
    o6.see(x, state, u, before, states);
  }
  DEVICE_MEMBER void finish(const Context& x) const {
    o0.finish(x);
    o1.finish(x);
    o2.finish(x);
    o3.finish(x);
    o4.finish(x);
    o5.finish(x);
    o6.finish(x);
  }
  DEVICE_MEMBER bool answered() const { return false; }
};
