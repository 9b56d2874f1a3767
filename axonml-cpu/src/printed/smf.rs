//! Membrane of `smf`. Printed by `cargo xtask print-programs`: do not edit.

// One statement for each step of the program, whatever its arguments.
#![allow(clippy::excessive_precision, clippy::unreadable_literal)]

use axonml_autodiff::ir::op::kernel;
use axonml_autodiff::ir::{Real, math};

use super::NodeProgram;

/// Adjoint of a step, without the cotangents of parameters.
pub(super) enum Adjoint {}

impl NodeProgram<15, 5> for Adjoint {
    const FINGERPRINT: u64 = 0x75a2caff89c082df;
    const COEFFICIENTS: usize = 34;

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 5],
        l: usize,
    ) {
        let t0 = x(0).fma::<FUSED>(k(18), k(19));
        let (t1, t2) = math::sigmoid_value_grad::<R, FUSED>(t0);
        let t3 = t1.fma::<FUSED>(k(22), k(23));
        let t4 = x(0).fma::<FUSED>(k(20), k(21));
        let (t5, t6) = math::sigmoid_value_grad::<R, FUSED>(t4);
        let t7 = t5.fma::<FUSED>(k(24), k(25));
        let t8 = t3 + t7;
        let t9 = t8 * k(26);
        let t10 = R::from_f64(1.0) / t8;
        let t11 = t3 * t10;
        let t12 = kernel::exp::<R, FUSED>(t9);
        let t13 = x(0) * x(13);
        let t14 = t13.fma::<FUSED>(k(29), x(12));
        let t15 = (-x(13)).fma::<FUSED>(k(31), t14);
        let t16 = t12 * t15;
        let t17 = t15 - t16;
        let t18 = t10 * t17;
        let t19 = x(0).fma::<FUSED>(k(12), k(13));
        let (t20, t21) = math::exprelr_value_grad::<R, FUSED>(t19);
        let t22 = t20 * k(16);
        let t23 = x(0).fma::<FUSED>(k(14), k(15));
        let (t24, t25) = math::exprelr_value_grad::<R, FUSED>(t23);
        let t26 = t24.fma::<FUSED>(k(17), t22);
        let t27 = t26 * k(26);
        let t28 = R::from_f64(1.0) / t26;
        let t29 = t22 * t28;
        let t30 = kernel::exp::<R, FUSED>(t27);
        let t31 = k(28) * t13;
        let t32 = (-x(13)).fma::<FUSED>(k(32), t31);
        let t33 = (-x(13)).fma::<FUSED>(k(33), t13);
        let t34 = x(7) * x(7);
        let t35 = t34 * t32;
        let t36 = x(7) * t34;
        let t37 = t36 * k(28);
        let t38 = t35.fma::<FUSED>(R::from_f64(3.0), x(11));
        let t39 = t30 * t38;
        let t40 = t38 - t39;
        let t41 = t28 * t40;
        let t42 = x(0).fma::<FUSED>(k(6), k(7));
        let (t43, t44) = math::exprelr_value_grad::<R, FUSED>(t42);
        let t45 = t43 * k(10);
        let t46 = x(0).fma::<FUSED>(k(8), k(9));
        let (t47, t48) = math::sigmoid_value_grad::<R, FUSED>(t46);
        let t49 = t47.fma::<FUSED>(k(11), t45);
        let t50 = t49 * k(26);
        let t51 = R::from_f64(1.0) / t49;
        let t52 = t45 * t51;
        let t53 = kernel::exp::<R, FUSED>(t50);
        let t54 = x(5) * x(5);
        let t55 = x(5) * t54;
        let t56 = t55 * k(27);
        let t57 = x(6).fma::<FUSED>(t56, t37);
        let t58 = x(8).fma::<FUSED>(k(29), t57);
        let t59 = t58 + k(30);
        let t60 = t56.fma::<FUSED>(t33, x(10));
        let t61 = x(6) * t33;
        let t62 = k(27) * t61;
        let t63 = t54 * t62;
        let t64 = t53 * t60;
        let t65 = t63.fma::<FUSED>(R::from_f64(3.0), x(9));
        let t66 = t60 - t64;
        let t67 = t51 * t66;
        let t68 = x(0).fma::<FUSED>(k(0), k(1));
        let (t69, t70) = math::exprelr_value_grad::<R, FUSED>(t68);
        let t71 = t69 * k(4);
        let t72 = x(0).fma::<FUSED>(k(2), k(3));
        let (t73, t74) = math::exprelr_value_grad::<R, FUSED>(t72);
        let t75 = t73.fma::<FUSED>(k(5), t71);
        let t76 = t75 * k(26);
        let t77 = R::from_f64(1.0) / t75;
        let t78 = t71 * t77;
        let t79 = kernel::exp::<R, FUSED>(t76);
        let t80 = t79 * t65;
        let t81 = t65 - t80;
        let t82 = t77 * t81;
        let t83 = x(4) - t11;
        let t84 = t83 * t16;
        let t85 = k(26) * t84;
        let t86 = (-t11).fma::<FUSED>(t18, t85);
        let t87 = t18 + t86;
        let t88 = k(24) * t86;
        let t89 = k(22) * t87;
        let t90 = t88 * t6;
        let t91 = k(20) * t90;
        let t92 = t89 * t2;
        let t93 = x(13).fma::<FUSED>(t59, t91);
        let t94 = t92.fma::<FUSED>(k(18), t93);
        let t95 = x(3) - t29;
        let t96 = t95 * t39;
        let t97 = k(26) * t96;
        let t98 = (-t29).fma::<FUSED>(t41, t97);
        let t99 = t41 + t98;
        let t100 = k(17) * t98;
        let t101 = k(16) * t99;
        let t102 = t100 * t25;
        let t103 = t101 * t21;
        let t104 = t102.fma::<FUSED>(k(14), t94);
        let t105 = t103.fma::<FUSED>(k(12), t104);
        let t106 = x(2) - t52;
        let t107 = t106 * t64;
        let t108 = k(26) * t107;
        let t109 = (-t52).fma::<FUSED>(t67, t108);
        let t110 = t67 + t109;
        let t111 = k(11) * t109;
        let t112 = k(10) * t110;
        let t113 = t111 * t48;
        let t114 = t112 * t44;
        let t115 = t113.fma::<FUSED>(k(8), t105);
        let t116 = t114.fma::<FUSED>(k(6), t115);
        let t117 = x(1) - t78;
        let t118 = t117 * t80;
        let t119 = k(26) * t118;
        let t120 = (-t78).fma::<FUSED>(t82, t119);
        let t121 = t82 + t120;
        let t122 = k(5) * t120;
        let t123 = k(4) * t121;
        let t124 = t122 * t74;
        let t125 = t123 * t70;
        let t126 = t124.fma::<FUSED>(k(2), t116);
        let t127 = t125.fma::<FUSED>(k(0), t126);
        let t128 = x(14) + t127;
        y[0][l] = t128;
        y[1][l] = t80;
        y[2][l] = t64;
        y[3][l] = t39;
        y[4][l] = t16;
    }
}

/// A step with tables of rates: what is left to compute.
pub(super) enum Rest {}

impl NodeProgram<7, 6> for Rest {
    const FINGERPRINT: u64 = 0xdb12ce7ca2a4f936;
    const COEFFICIENTS: usize = 29;

    #[inline(always)]
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; 6],
        l: usize,
    ) {
        let t0 = (-x(3)).fma::<FUSED>(x(5), x(6));
        let t1 = x(3) + t0;
        let t2 = x(0).fma::<FUSED>(k(0), k(1));
        let t3 = kernel::exprelr::<R, FUSED>(t2);
        let t4 = x(0).fma::<FUSED>(k(2), k(3));
        let t5 = kernel::exprelr::<R, FUSED>(t4);
        let t6 = t3 * k(4);
        let t7 = x(0).fma::<FUSED>(k(6), k(7));
        let t8 = kernel::exprelr::<R, FUSED>(t7);
        let t9 = x(0).fma::<FUSED>(k(8), k(9));
        let t10 = kernel::sigmoid::<R, FUSED>(t9);
        let t11 = t8 * k(10);
        let t12 = x(0).fma::<FUSED>(k(12), k(13));
        let t13 = kernel::sigmoid::<R, FUSED>(t12);
        let t14 = x(0).fma::<FUSED>(k(14), k(15));
        let t15 = kernel::sigmoid::<R, FUSED>(t14);
        let t16 = t13.fma::<FUSED>(k(16), k(17));
        let t17 = t15.fma::<FUSED>(k(18), k(19));
        let t18 = t5.fma::<FUSED>(k(5), t6);
        let t19 = t6 / t18;
        let t20 = t10.fma::<FUSED>(k(11), t11);
        let t21 = t11 / t20;
        let t22 = t16 + t17;
        let t23 = t16 / t22;
        let t24 = t18 * k(20);
        let t25 = x(1) - t19;
        let t26 = kernel::exp::<R, FUSED>(t24);
        let t27 = t25.fma::<FUSED>(t26, t19);
        let t28 = t20 * k(20);
        let t29 = x(2) - t21;
        let t30 = kernel::exp::<R, FUSED>(t28);
        let t31 = t29.fma::<FUSED>(t30, t21);
        let t32 = t22 * k(20);
        let t33 = x(4) - t23;
        let t34 = kernel::exp::<R, FUSED>(t32);
        let t35 = t33.fma::<FUSED>(t34, t23);
        let t36 = t27 * t27;
        let t37 = t27 * t36;
        let t38 = t37 * k(21);
        let t39 = t31 * t38;
        let t40 = t1 * t1;
        let t41 = t1 * t40;
        let t42 = t41.fma::<FUSED>(k(22), t39);
        let t43 = t41 * k(25);
        let t44 = t39.fma::<FUSED>(k(24), t43);
        let t45 = t35.fma::<FUSED>(k(23), t42);
        let t46 = t35.fma::<FUSED>(k(26), t44);
        let t47 = t45 + k(27);
        let t48 = t46 + k(28);
        y[0][l] = t27;
        y[1][l] = t31;
        y[2][l] = t1;
        y[3][l] = t35;
        y[4][l] = t47;
        y[5][l] = t48;
    }
}
