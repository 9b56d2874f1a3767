//! Membrane of `sundt`. Printed by `cargo xtask print-programs`: do not edit.

// One statement for each step of the program, whatever its arguments.
#![allow(clippy::excessive_precision, clippy::unreadable_literal)]

use axonml_autodiff::ir::op::kernel;
use axonml_autodiff::ir::{Real, math};

use super::NodeProgram;

/// Conductance and source of a state.
pub(super) enum Currents {}

impl NodeProgram<5, 2> for Currents {
    const FINGERPRINT: u64 = 0xa96974538cd608ad;
    const COEFFICIENTS: usize = 6;

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 2],
        l: usize,
    ) {
        let t0 = x(1) * x(1);
        let t1 = x(1) * t0;
        let t2 = t1 * k(0);
        let t3 = x(2) * t2;
        let t4 = x(3) * x(3);
        let t5 = x(3) * t4;
        let t6 = t5 * k(1);
        let t7 = x(4) * t6;
        let t8 = t3 + t7;
        let t9 = t7 * k(3);
        let t10 = t3.fma::<FUSED>(k(2), t9);
        let t11 = t8 + k(4);
        let t12 = t10 + k(5);
        y[0][l] = t11;
        y[1][l] = t12;
    }
}

/// One step at the present voltage: new states, conductance and source.
pub(super) enum Step {}

impl NodeProgram<5, 6> for Step {
    const FINGERPRINT: u64 = 0x2b7575159ec57689;
    const COEFFICIENTS: usize = 28;

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(R::from_f64(-0.25), k(1));
        let t1 = kernel::exprelr::<R, FUSED>(t0);
        let t2 = t1 * k(2);
        let t3 = x(0).fma::<FUSED>(R::from_f64(0.2), k(3));
        let t4 = kernel::exprelr::<R, FUSED>(t3);
        let t5 = x(0).fma::<FUSED>(R::from_f64(-0.05555555555555555), k(5));
        let t6 = kernel::min::<R, FUSED>(t5, R::from_f64(60.0));
        let t7 = kernel::exp::<R, FUSED>(t6);
        let t8 = t7 * k(6);
        let t9 = x(0).fma::<FUSED>(R::from_f64(0.2), k(7));
        let t10 = kernel::sigmoid::<R, FUSED>(t9);
        let t11 = x(0).fma::<FUSED>(k(9), k(10));
        let t12 = x(0).fma::<FUSED>(k(11), k(12));
        let t13 = kernel::sigmoid::<R, FUSED>(t12);
        let t14 = x(0).fma::<FUSED>(k(13), k(14));
        let t15 = kernel::sigmoid::<R, FUSED>(t14);
        let t16 = x(0).fma::<FUSED>(k(15), k(16));
        let t17 = kernel::exp::<R, FUSED>(t16);
        let t18 = x(0).fma::<FUSED>(k(17), k(18));
        let t19 = kernel::exp::<R, FUSED>(t18);
        let t20 = t17 + t19;
        let t21 = t20 * k(19);
        let t22 = R::from_f64(1.0) / t21;
        let t23 = kernel::sigmoid::<R, FUSED>(t11);
        let t24 = t23 * k(20);
        let t25 = t4.fma::<FUSED>(k(4), t2);
        let t26 = t2 / t25;
        let t27 = t10.fma::<FUSED>(k(8), t8);
        let t28 = t8 / t27;
        let t29 = t25 * k(21);
        let t30 = x(1) - t26;
        let t31 = kernel::exp::<R, FUSED>(t29);
        let t32 = t30.fma::<FUSED>(t31, t26);
        let t33 = t27 * k(21);
        let t34 = x(2) - t28;
        let t35 = kernel::exp::<R, FUSED>(t33);
        let t36 = t34.fma::<FUSED>(t35, t28);
        let t37 = k(0) / t22;
        let t38 = -t37;
        let t39 = x(3) - t13;
        let t40 = kernel::exp::<R, FUSED>(t38);
        let t41 = t39.fma::<FUSED>(t40, t13);
        let t42 = k(0) / t24;
        let t43 = -t42;
        let t44 = x(4) - t15;
        let t45 = kernel::exp::<R, FUSED>(t43);
        let t46 = t44.fma::<FUSED>(t45, t15);
        let t47 = t32 * t32;
        let t48 = t32 * t47;
        let t49 = t48 * k(22);
        let t50 = t36 * t49;
        let t51 = t41 * t41;
        let t52 = t41 * t51;
        let t53 = t52 * k(23);
        let t54 = t46 * t53;
        let t55 = t50 + t54;
        let t56 = t54 * k(25);
        let t57 = t50.fma::<FUSED>(k(24), t56);
        let t58 = t55 + k(26);
        let t59 = t57 + k(27);
        y[0][l] = t32;
        y[1][l] = t36;
        y[2][l] = t41;
        y[3][l] = t46;
        y[4][l] = t58;
        y[5][l] = t59;
    }
}

/// Adjoint of a step, without the cotangents of parameters.
pub(super) enum Adjoint {}

impl NodeProgram<16, 5> for Adjoint {
    const FINGERPRINT: u64 = 0x891ea48fb9d5bbc8;
    const COEFFICIENTS: usize = 28;

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(k(8), k(9));
        let (t1, t2) = math::sigmoid_value_grad::<R, FUSED>(t0);
        let t3 = t1 * k(19);
        let t4 = R::from_f64(1.0) / t3;
        let t5 = k(22) * t4;
        let t6 = kernel::exp::<R, FUSED>(t5);
        let t7 = x(7) * x(7);
        let t8 = x(7) * t7;
        let t9 = t8 * k(24);
        let t10 = x(14).fma::<FUSED>(k(25), x(13));
        let t11 = t9.fma::<FUSED>(t10, x(12));
        let t12 = x(8) * t10;
        let t13 = k(24) * t12;
        let t14 = t7 * t13;
        let t15 = t6 * t11;
        let t16 = t14.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t17 = t11 - t15;
        let t18 = x(0).fma::<FUSED>(k(14), k(15));
        let t19 = kernel::exp::<R, FUSED>(t18);
        let t20 = x(0).fma::<FUSED>(k(16), k(17));
        let t21 = kernel::exp::<R, FUSED>(t20);
        let t22 = t19 + t21;
        let t23 = t22 * k(18);
        let t24 = R::from_f64(1.0) / t23;
        let t25 = R::from_f64(1.0) / t24;
        let t26 = t25 * k(22);
        let t27 = kernel::exp::<R, FUSED>(t26);
        let t28 = t27 * t16;
        let t29 = t16 - t28;
        let t30 = x(0).fma::<FUSED>(R::from_f64(-0.25), k(0));
        let (t31, t32) = math::exprelr_value_grad::<R, FUSED>(t30);
        let t33 = t31 * k(1);
        let t34 = x(0).fma::<FUSED>(R::from_f64(0.2), k(2));
        let (t35, t36) = math::exprelr_value_grad::<R, FUSED>(t34);
        let t37 = t35.fma::<FUSED>(k(3), t33);
        let t38 = t37 * k(20);
        let t39 = R::from_f64(1.0) / t37;
        let t40 = t33 * t39;
        let t41 = kernel::exp::<R, FUSED>(t38);
        let t42 = x(14).fma::<FUSED>(k(26), x(13));
        let t43 = x(6) * t42;
        let t44 = k(23) * t43;
        let t45 = x(5) * x(5);
        let t46 = t45 * t44;
        let t47 = x(5) * t45;
        let t48 = t47 * k(23);
        let t49 = t48.fma::<FUSED>(t42, x(10));
        let t50 = t46.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t51 = t41 * t50;
        let t52 = t50 - t51;
        let t53 = t39 * t52;
        let t54 = x(0).fma::<FUSED>(R::from_f64(-0.05555555555555555), k(4));
        let t55 = kernel::min::<R, FUSED>(t54, R::from_f64(60.0));
        let t56 = kernel::exp::<R, FUSED>(t55);
        let t57 = t56 * k(5);
        let t58 = x(0).fma::<FUSED>(R::from_f64(0.2), k(6));
        let (t59, t60) = math::sigmoid_value_grad::<R, FUSED>(t58);
        let t61 = t59.fma::<FUSED>(k(7), t57);
        let t62 = t61 * k(20);
        let t63 = R::from_f64(1.0) / t61;
        let t64 = t57 * t63;
        let t65 = kernel::exp::<R, FUSED>(t62);
        let t66 = t65 * t49;
        let t67 = t49 - t66;
        let t68 = t63 * t67;
        let t69 = x(0).fma::<FUSED>(k(10), k(11));
        let (t70, t71) = math::sigmoid_value_grad::<R, FUSED>(t69);
        let t72 = x(3) - t70;
        let t73 = t72 * t28;
        let t74 = t25 * t73;
        let t75 = t25 * k(21);
        let t76 = t75 * t74;
        let t77 = t24 * t76;
        let t78 = t24 * t77;
        let t79 = k(18) * t78;
        let t80 = t21 * t79;
        let t81 = t19 * t79;
        let t82 = t29 * t71;
        let t83 = k(10) * t82;
        let t84 = x(0).fma::<FUSED>(k(12), k(13));
        let (t85, t86) = math::sigmoid_value_grad::<R, FUSED>(t84);
        let t87 = x(4) - t85;
        let t88 = t87 * t15;
        let t89 = t4 * t88;
        let t90 = k(21) * t4;
        let t91 = t90 * t89;
        let t92 = k(19) * t91;
        let t93 = t92 * t2;
        let t94 = t17 * t86;
        let t95 = t94.fma::<FUSED>(k(12), t83);
        let t96 = t93.fma::<FUSED>(k(8), t95);
        let t97 = x(2) - t64;
        let t98 = t97 * t66;
        let t99 = k(20) * t98;
        let t100 = (-t64).fma::<FUSED>(t68, t99);
        let t101 = t68 + t100;
        let t102 = k(7) * t100;
        let t103 = t56 * t101;
        let t104 = t103 * k(27);
        let t105 = kernel::select_lt::<R, FUSED>(t54, R::from_f64(60.0), t104, R::from_f64(0.0));
        let t106 = t105 + t96;
        let t107 = x(1) - t40;
        let t108 = t107 * t51;
        let t109 = k(20) * t108;
        let t110 = (-t40).fma::<FUSED>(t53, t109);
        let t111 = t53 + t110;
        let t112 = k(3) * t110;
        let t113 = t112 * t36;
        let t114 = t102.fma::<FUSED>(t60, t113);
        let t115 = k(1) * t111;
        let t116 = t115 * t32;
        let t117 = t114.fma::<FUSED>(R::from_f64(0.2), t106);
        let t118 = t116.fma::<FUSED>(R::from_f64(-0.25), t117);
        let t119 = (-t80).fma::<FUSED>(k(16), t118);
        let t120 = (-t81).fma::<FUSED>(k(14), t119);
        let t121 = x(15) + t120;
        y[0][l] = t121;
        y[1][l] = t51;
        y[2][l] = t66;
        y[3][l] = t28;
        y[4][l] = t15;
    }
}

/// A step with tables of rates: what is left to compute.
pub(super) enum Rest {}

impl NodeProgram<13, 6> for Rest {
    const FINGERPRINT: u64 = 0xcaa89a38cf99761d;
    const COEFFICIENTS: usize = 6;

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        l: usize,
    ) {
        let t0 = (-x(1)).fma::<FUSED>(x(5), x(6));
        let t1 = x(1) + t0;
        let t2 = (-x(2)).fma::<FUSED>(x(7), x(8));
        let t3 = x(2) + t2;
        let t4 = (-x(3)).fma::<FUSED>(x(9), x(10));
        let t5 = x(3) + t4;
        let t6 = (-x(4)).fma::<FUSED>(x(11), x(12));
        let t7 = x(4) + t6;
        let t8 = t1 * t1;
        let t9 = t1 * t8;
        let t10 = t9 * k(0);
        let t11 = t3 * t10;
        let t12 = t5 * t5;
        let t13 = t5 * t12;
        let t14 = t13 * k(1);
        let t15 = t7 * t14;
        let t16 = t11 + t15;
        let t17 = t15 * k(3);
        let t18 = t11.fma::<FUSED>(k(2), t17);
        let t19 = t16 + k(4);
        let t20 = t18 + k(5);
        y[0][l] = t1;
        y[1][l] = t3;
        y[2][l] = t5;
        y[3][l] = t7;
        y[4][l] = t19;
        y[5][l] = t20;
    }
}
