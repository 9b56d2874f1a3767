#define REAL_IS_FLOAT 1
#define P 2
#define WARPS 1
#define BLOCKS_PER_MULTIPROCESSOR 16
#define STATES 4
#define STATES_OR_1 4
#define EXPLICIT_CABLE 0
#define MODES 20
#define STATE_ROWS 25
#define FINAL_STATES 1
#define QUIET_END 0
#define GRADIENT 0
#define REVERSE 0
#define LOG2_E 1.442695f
#define SUSPECT_SCALE 8.507059e34f
#define EXP_MAX 88.72284f

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
  const REAL t2 = t1 * 3.0f;
  const REAL t3 = x[1] * t2;
  const REAL t4 = x[2] * x[2];
  const REAL t5 = x[2] * t4;
  const REAL t6 = fmaf(t5, 0.01f, t3);
  const REAL t7 = t5 * 1.3f;
  const REAL t8 = fmaf(t3, 130.0f, t7);
  const REAL t9 = fmaf(x[3], 0.08f, t6);
  const REAL t10 = fmaf(x[3], (-0.8f), t8);
  const REAL t11 = t9 + 0.007f;
  const REAL t12 = t10 + (-0.07f);
  g = t11;
  j = t12;
}

DEVICE void membrane_step(const Parameters& k, const REAL u, REAL (&x)[STATES_OR_1], REAL& g, REAL& j) {
  const REAL t0 = u + (-80.0f);
  const REAL t1 = fmaf(u, (-0.097087376f), 5.6893206f);
  const REAL t2 = exprelrf(t1);
  const REAL t3 = t2 * 73.19286f;
  const REAL t4 = t0 < (-150.0f) ? 0.60107696f : t3;
  const REAL t5 = fmaf(u, 0.1091703f, (-5.9279475f));
  const REAL t6 = exprelrf(t5);
  const REAL t7 = t6 * 3.0096257f;
  const REAL t8 = 150.0f < t0 ? 0.021879157f : t7;
  const REAL t9 = fmaf(u, 0.09090909f, 3.090909f);
  const REAL t10 = exprelrf(t9);
  const REAL t11 = t10 * 4.1673594f;
  const REAL t12 = 150.0f < t0 ? 0.019916557f : t11;
  const REAL t13 = fmaf(u, 0.07462686f, (-3.597015f));
  const REAL t14 = sigmoidf(t13);
  const REAL t15 = t14 * 14.054145f;
  const REAL t16 = t0 < (-150.0f) ? 0.008587694f : t15;
  const REAL t17 = fmaf(u, (-0.09803922f), 5.1960783f);
  const REAL t18 = exprelrf(t17);
  const REAL t19 = t18 * 0.38968953f;
  const REAL t20 = t0 < (-150.0f) ? 0.003313316f : t19;
  const REAL t21 = fmaf(u, 0.1f, (-4.6f));
  const REAL t22 = exprelrf(t21);
  const REAL t23 = t22 * 0.009551214f;
  const REAL t24 = 150.0f < t0 ? 6.05738e-5f : t23;
  const REAL t25 = fmaf(u, 0.2f, (-5.4f));
  const REAL t26 = sigmoidf(t25);
  const REAL t27 = t26 * 0.33483696f;
  const REAL t28 = t0 < (-150.0f) ? 3.737227e-5f : t27;
  const REAL t29 = u + 10.0f;
  const REAL t30 = sigmoidf(t29);
  const REAL t31 = t30 * 0.033483695f;
  const REAL t32 = t0 < (-150.0f) ? 3.7372267e-6f : t31;
  const REAL t33 = t4 + t8;
  const REAL t34 = divide(t4, t33);
  const REAL t35 = t12 + t16;
  const REAL t36 = divide(t12, t35);
  const REAL t37 = t20 + t24;
  const REAL t38 = divide(t20, t37);
  const REAL t39 = t28 + t32;
  const REAL t40 = divide(t28, t39);
  const REAL t41 = t33 * (-0.005f);
  const REAL t42 = x[0] - t34;
  const REAL t43 = exponential(t41);
  const REAL t44 = fmaf(t42, t43, t34);
  const REAL t45 = t35 * (-0.005f);
  const REAL t46 = x[1] - t36;
  const REAL t47 = exponential(t45);
  const REAL t48 = fmaf(t46, t47, t36);
  const REAL t49 = t37 * (-0.005f);
  const REAL t50 = x[2] - t38;
  const REAL t51 = exponential(t49);
  const REAL t52 = fmaf(t50, t51, t38);
  const REAL t53 = t39 * (-0.005f);
  const REAL t54 = x[3] - t40;
  const REAL t55 = exponential(t53);
  const REAL t56 = fmaf(t54, t55, t40);
  const REAL t57 = t44 * t44;
  const REAL t58 = t44 * t57;
  const REAL t59 = t58 * 3.0f;
  const REAL t60 = t48 * t59;
  const REAL t61 = t52 * t52;
  const REAL t62 = t52 * t61;
  const REAL t63 = fmaf(t62, 0.01f, t60);
  const REAL t64 = t62 * 1.3f;
  const REAL t65 = fmaf(t60, 130.0f, t64);
  const REAL t66 = fmaf(t56, 0.08f, t63);
  const REAL t67 = fmaf(t56, (-0.8f), t65);
  const REAL t68 = t66 + 0.007f;
  const REAL t69 = t67 + (-0.07f);
  const REAL y0 = t44;
  const REAL y1 = t48;
  const REAL y2 = t52;
  const REAL y3 = t56;
  g = t68;
  j = t69;
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
